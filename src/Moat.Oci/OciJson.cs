using System.Text.Json;
using System.Text.Json.Serialization;

namespace Moat.Oci;

/// <summary>Reads and writes the specification's types, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    IgnoreReadOnlyProperties = true,
    WriteIndented = true)]
[JsonSerializable(typeof(OciSpec))]
[JsonSerializable(typeof(OciProcess))]
[JsonSerializable(typeof(OciResources))]
[JsonSerializable(typeof(OciState))]
[JsonSerializable(typeof(IReadOnlyList<OciState>))]
public sealed partial class OciJson : JsonSerializerContext;
