using Moat.Kernel.Tasks;

namespace Moat.Sockets;

/// <summary>Who is at the other end, or who sent a message.</summary>
/// <param name="Process">The process; null for nobody, and for the kernel.</param>
/// <param name="Uid">Its user.</param>
/// <param name="Gid">Its group.</param>
public readonly record struct PeerCredentials(TaskId? Process, uint Uid, uint Gid)
{
    /// <summary>Nobody: what a socket without a peer answers.</summary>
    public static PeerCredentials Nobody => new(null, uint.MaxValue, uint.MaxValue);

    /// <summary>As whoever lives in a pid namespace is told; number 0 for a process that is not to be seen there.</summary>
    public Ucred For(PidNamespace reader) => new(Process?.In(reader) ?? 0, Uid, Gid);
}
