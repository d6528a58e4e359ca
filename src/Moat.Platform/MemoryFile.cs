namespace Moat.Platform;

/// <summary>The memfd that holds all application memory (design: anonymous memory, tmpfs, page caches), mapped into the Sentry.</summary>
public sealed class MemoryFile : IMappableFile
{
    /// <inheritdoc/>
    public int HostFd => throw new NotSupportedException();
}
