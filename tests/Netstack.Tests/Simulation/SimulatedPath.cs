namespace Moat.Netstack.Tests.Simulation;

/// <summary>What a wire does to frames.</summary>
/// <param name="DelayNs">How long one direction takes.</param>
/// <param name="Loss">The part that is lost.</param>
/// <param name="Reordering">The part that is held back.</param>
/// <param name="Duplication">The part that comes twice.</param>
/// <param name="BytesPerSecond">How fast it is; 0 for no limit.</param>
internal sealed record SimulatedPath(long DelayNs, double Loss = 0, double Reordering = 0, double Duplication = 0, long BytesPerSecond = 0)
{
    /// <summary>Bytes that wait for the wire before more are dropped.</summary>
    public int QueueBytes { get; init; } = 256 << 10;
}
