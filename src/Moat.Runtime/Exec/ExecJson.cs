using System.Text.Json.Serialization;

namespace Moat.Runtime.Exec;

/// <summary>Reads and writes <see cref="ExecConfig"/>, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(ExecConfig))]
internal sealed partial class ExecJson : JsonSerializerContext;
