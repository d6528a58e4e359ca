namespace Moat.Oci;

/// <summary>A range of user or group ids.</summary>
/// <param name="ContainerId">The first id inside.</param>
/// <param name="HostId">The first id outside.</param>
/// <param name="Size">How many.</param>
public sealed record OciIdMapping(
    [property: System.Text.Json.Serialization.JsonPropertyName("containerID")] uint ContainerId,
    [property: System.Text.Json.Serialization.JsonPropertyName("hostID")] uint HostId,
    uint Size);
