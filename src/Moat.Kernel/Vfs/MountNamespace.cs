namespace Moat.Kernel.Vfs;

/// <summary>A tree of mounts (mount_namespaces(7)).</summary>
public sealed class MountNamespace
{
    /// <param name="root">The mount that is "/".</param>
    public MountNamespace(Mount root) => Root = root;

    /// <summary>The mount that is "/".</summary>
    public Mount Root { get; }
}
