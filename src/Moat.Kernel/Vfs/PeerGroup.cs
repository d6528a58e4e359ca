namespace Moat.Kernel.Vfs;

/// <summary>Mounts that show one another's changes (mount_namespaces(7), "Shared subtrees"). Guarded by the lock of the mount namespaces.</summary>
internal sealed class PeerGroup(int id)
{
    /// <summary>The number in /proc/PID/mountinfo.</summary>
    public int Id { get; } = id;

    /// <summary>Those that give and take.</summary>
    public List<Mount> Peers { get; } = [];

    /// <summary>Those that only take.</summary>
    public List<Mount> Slaves { get; } = [];
}
