using System.Text.Json.Serialization;

namespace Moat.Control;

/// <summary>Who gets a signal.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SignalScope>))]
public enum SignalScope
{
    /// <summary>One process.</summary>
    Process,

    /// <summary>The process group with the number given as pid.</summary>
    Group,

    /// <summary>Every process of the container.</summary>
    All,

    /// <summary>The foreground process group of the process's terminal; the process itself if it has none.</summary>
    Foreground,
}
