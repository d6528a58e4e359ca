namespace Moat.Kernel.Namespaces;

/// <summary>The numbers that /proc/PID/ns shows: those of Linux's initial namespaces for the first of each kind, others for later ones. Any thread.</summary>
public sealed class NamespaceIds
{
    public const ulong FirstTime = 4026531834;
    public const ulong FirstCgroup = 4026531835;
    public const ulong FirstPid = 4026531836;
    public const ulong FirstUser = 4026531837;
    public const ulong FirstUts = 4026531838;
    public const ulong FirstIpc = 4026531839;
    public const ulong FirstMount = 4026531841;

    private long _last = 4026532000;

    /// <summary>A number for one that is not the first of its kind.</summary>
    public ulong Next() => (ulong)Interlocked.Increment(ref _last);
}
