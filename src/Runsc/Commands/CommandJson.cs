using System.Text.Json.Serialization;

namespace Runsc.Commands;

/// <summary>Writes what commands print as JSON, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(ListedContainer[]))]
[JsonSerializable(typeof(int[]))]
[JsonSerializable(typeof(StatsEvent))]
[JsonSerializable(typeof(WaitResult))]
internal sealed partial class CommandJson : JsonSerializerContext;
