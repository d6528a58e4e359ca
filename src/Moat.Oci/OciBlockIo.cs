namespace Moat.Oci;

/// <summary>Limits of block devices.</summary>
public sealed record OciBlockIo
{
    /// <summary>Relative weight, 10 to 1000.</summary>
    public ushort? Weight { get; init; }

    /// <summary>Bytes read a second.</summary>
    public IReadOnlyList<OciThrottle> ThrottleReadBpsDevice { get; init => field = value ?? []; } = [];

    /// <summary>Bytes written a second.</summary>
    public IReadOnlyList<OciThrottle> ThrottleWriteBpsDevice { get; init => field = value ?? []; } = [];

    /// <summary>Reads a second.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("throttleReadIOPSDevice")]
    public IReadOnlyList<OciThrottle> ThrottleReadIopsDevice { get; init => field = value ?? []; } = [];

    /// <summary>Writes a second.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("throttleWriteIOPSDevice")]
    public IReadOnlyList<OciThrottle> ThrottleWriteIopsDevice { get; init => field = value ?? []; } = [];
}
