using System.Text.Json.Serialization;

namespace Moat.Runtime.State;

/// <summary>Reads and writes state files, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(ContainerRecord))]
internal sealed partial class StateJson : JsonSerializerContext;
