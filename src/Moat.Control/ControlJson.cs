using System.Text.Json.Serialization;

namespace Moat.Control;

/// <summary>Reads and writes what command line, Sentry and Gofer tell one another, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(BootConfig))]
[JsonSerializable(typeof(BootReport))]
[JsonSerializable(typeof(GoferConfig))]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlReply))]
public sealed partial class ControlJson : JsonSerializerContext;
