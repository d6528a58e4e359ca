namespace Moat.Control;

/// <summary>What the Sentry itself holds, after a collection.</summary>
public sealed record SandboxMemory
{
    /// <summary>Managed objects that are in use, in bytes.</summary>
    public long HeapBytes { get; init; }

    /// <summary>What the collector has of the host for them, in bytes.</summary>
    public long CommittedBytes { get; init; }

    /// <summary>What was allocated since the start, in bytes.</summary>
    public long AllocatedBytes { get; init; }

    /// <summary>Collections since the start, of all generations.</summary>
    public int Collections { get; init; }

    /// <summary>Memory of applications, tmpfs and page caches, in bytes.</summary>
    public long ApplicationBytes { get; init; }

    /// <summary>Tasks.</summary>
    public int TaskCount { get; init; }
}
