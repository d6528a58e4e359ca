namespace Moat.Platform;

/// <summary>A host file whose pages can be mapped into an application's address space: the <see cref="MemoryFile"/>, or a descriptor that the
/// Gofer donated. The descriptor stays open as long as anything of it is mapped.</summary>
public interface IMappableFile
{
    /// <summary>The Sentry's descriptor. Stub processes share the Sentry's descriptor table, so it is theirs as well.</summary>
    int HostFd { get; }
}
