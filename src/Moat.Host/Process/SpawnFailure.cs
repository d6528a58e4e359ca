using Moat.Linux;

namespace Moat.Host.Process;

/// <summary>Why a child could not be made.</summary>
/// <param name="Step">What it was doing, in a few words.</param>
/// <param name="Errno">What the kernel said.</param>
public readonly record struct SpawnFailure(string Step, Errno Errno)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Step}: {Errno}";
}
