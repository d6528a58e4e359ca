using System.Text.Json.Serialization;

namespace Moat.Runtime.State;

/// <summary>A container's status, as the runtime specification names them; paused besides.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerStatus>))]
public enum ContainerStatus
{
    /// <summary>Being made; if nobody holds its lock any more, the command that did was killed.</summary>
    Creating,

    /// <summary>Waits for start.</summary>
    Created,

    /// <summary>Runs.</summary>
    Running,

    /// <summary>Stopped until resume.</summary>
    Paused,

    /// <summary>Its sandbox is gone.</summary>
    Stopped,
}
