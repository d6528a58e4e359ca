namespace Moat.Kernel.Namespaces;

/// <summary>A namespace (namespaces(7)): what tasks, descriptors and bind mounts refer to and keep. Any thread.</summary>
public interface INamespace
{
    /// <summary>The number that /proc/PID/ns shows, which is its file's inode number.</summary>
    ulong Id { get; }

    /// <summary>Its CLONE_NEW*.</summary>
    ulong CloneFlag { get; }

    /// <summary>Somebody else uses it.</summary>
    /// <returns>False if its last user has gone: there is nothing to use any more.</returns>
    bool TryAddUser();

    /// <summary>Ends what <see cref="TryAddUser"/> began; with the last user it ends.</summary>
    void RemoveUser();
}
