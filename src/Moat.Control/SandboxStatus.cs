using System.Text.Json.Serialization;

namespace Moat.Control;

/// <summary>How far a sandbox is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SandboxStatus>))]
public enum SandboxStatus
{
    /// <summary>The first process has not been started.</summary>
    Created,

    /// <summary>It runs.</summary>
    Running,

    /// <summary>It is stopped until it is resumed.</summary>
    Paused,

    /// <summary>It has ended.</summary>
    Stopped,
}
