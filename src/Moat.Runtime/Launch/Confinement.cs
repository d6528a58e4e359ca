using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Moat.Host;
using Moat.Host.Process;
using Moat.Linux;

namespace Moat.Runtime.Launch;

/// <summary>Steps of a child that take away from it what a Sentry must not have.</summary>
internal static class Confinement
{
    private const nint CurrentDirectory = HostFile.CurrentDirectory;

    private const int MsReadOnly = 1;
    private const int MsNoSuid = 2;
    private const int MsNoDev = 4;
    private const int MsNoExec = 8;
    private const int MsRec = 0x4000;
    private const int MsSlave = 1 << 19;
    private const int MntDetach = 2;

    private const int PrCapBsetDrop = 24;
    private const int PrSetNoNewPrivs = 38;
    private const int PrCapAmbient = 47;
    private const int PrCapAmbientClearAll = 4;
    private const int LastCapability = 40;
    private const int CapabilityVersion3 = 0x20080522;

    /// <summary>Joins groups: the child writes itself into their member files.</summary>
    /// <param name="memberFds">Opened for writing by the parent.</param>
    public static void JoinGroups(SpawnPlan plan, IReadOnlyList<int> memberFds)
    {
        nint zero = plan.Text("0");
        foreach (int fd in memberFds)
        {
            plan.Call("join cgroup", SyscallNumber.write, false, fd, zero, 1);
        }
    }

    /// <summary>Goes to the directory that becomes the root, while the child may still pass directories on the way that only root may.</summary>
    public static void EnterJail(SpawnPlan plan, string directory) => plan.Call("enter the empty directory", SyscallNumber.chdir, false, plan.Text(directory));

    /// <summary>Leaves the host's files: an empty file system that cannot be written, mounted on the current directory, becomes the root, and everything else is unmounted from this
    /// namespace.</summary>
    /// <param name="directory">The current directory; it and the one that holds it are the user's own.</param>
    public static void EnterEmptyRoot(SpawnPlan plan, string directory)
    {
        nint here = plan.Text(".");
        plan.Call("make mounts private", SyscallNumber.mount, false, 0, plan.Text("/"), 0, MsRec | MsSlave, 0);
        plan.Call("mount the empty root", SyscallNumber.mount, false, plan.Text("none"), here, plan.Text("tmpfs"), MsReadOnly | MsNoSuid | MsNoDev | MsNoExec, plan.Text("mode=0555,size=4k,nr_inodes=2"));
        PivotInto(plan, plan.Text($"../{Path.GetFileName(directory)}")); // what is mounted there now
    }

    /// <summary>Makes a mount the root, and unmounts everything else from this namespace.</summary>
    /// <param name="path">The mount's path, text of the plan.</param>
    public static void PivotInto(SpawnPlan plan, nint path)
    {
        nint here = plan.Text(".");
        plan.Call("enter the new root", SyscallNumber.chdir, false, path);
        plan.Call("pivot_root", SyscallNumber.pivot_root, false, here, here);
        plan.Call("unmount the host's files", SyscallNumber.umount2, false, here, MntDetach);
        plan.Call("chdir", SyscallNumber.chdir, false, plan.Text("/"));
    }

    /// <summary>Gives up all capabilities for good. In the child's own user namespace, so it needs no privilege outside.</summary>
    public static void DropCapabilities(SpawnPlan plan) => KeepCapabilities(plan, 0);

    /// <summary>Gives up all capabilities but some, for good.</summary>
    /// <param name="kept">Bit n for capability n; a program executed as root has these.</param>
    public static void KeepCapabilities(SpawnPlan plan, ulong kept)
    {
        plan.Call("clear ambient capabilities", SyscallNumber.prctl, true, PrCapAmbient, PrCapAmbientClearAll, 0, 0, 0);
        for (int capability = 0; capability <= 63; capability++)
        {
            if ((kept >> capability & 1) != 0)
            {
                continue;
            }

            // Those beyond the kernel's last one do not exist.
            plan.Call("drop bounding capability", SyscallNumber.prctl, capability > LastCapability, PrCapBsetDrop, capability, 0, 0, 0);
        }

        Span<byte> header = stackalloc byte[8];
        header.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(header, CapabilityVersion3);
        Span<byte> sets = stackalloc byte[24]; // effective, permitted, inheritable: the low halves, then the high ones
        sets.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(sets, (uint)kept);
        BinaryPrimitives.WriteUInt32LittleEndian(sets[4..], (uint)kept);
        BinaryPrimitives.WriteUInt32LittleEndian(sets[12..], (uint)(kept >> 32));
        BinaryPrimitives.WriteUInt32LittleEndian(sets[16..], (uint)(kept >> 32));
        plan.Call("drop capabilities", SyscallNumber.capset, false, plan.Bytes(header), plan.Bytes(sets));
        plan.Call("no_new_privs", SyscallNumber.prctl, false, PrSetNoNewPrivs, 1, 0, 0, 0);
    }

    /// <summary>The child is killed when the calling thread ends.</summary>
    public static void EndWithParent(SpawnPlan plan)
    {
        const int PrSetDeathSignal = 1;
        plan.Call("parent death signal", SyscallNumber.prctl, false, PrSetDeathSignal, (nint)Signal.SIGKILL, 0, 0, 0);
    }

    /// <summary>In a new user namespace: the child's user becomes its root, and the only one in it.</summary>
    public static void BecomeRootOfOwnNamespace(SpawnPlan plan)
    {
        WriteOwnFile(plan, "/proc/self/setgroups", "deny", ignoreErrors: false);
        WriteOwnFile(plan, "/proc/self/uid_map", $"0 {HostIdentity.Uid} 1", ignoreErrors: false);
        WriteOwnFile(plan, "/proc/self/gid_map", $"0 {HostIdentity.Gid} 1", ignoreErrors: false);
    }

    /// <summary>Descriptors of guests are descriptors of ours: as many as the hard limit allows.</summary>
    public static void RaiseFileLimit(SpawnPlan plan)
    {
        const int NoFile = 7; // RLIMIT_NOFILE
        if (HostLimits.Get(NoFile).TryGet(out (ulong Soft, ulong Hard) limit, out _))
        {
            ulong[] raised = [limit.Hard, limit.Hard];
            plan.Call("prlimit", SyscallNumber.prlimit64, true, 0, NoFile, plan.Bytes(MemoryMarshal.AsBytes<ulong>(raised)), 0);
        }
    }

    /// <summary>Writes a file of /proc/self in the child.</summary>
    public static void WriteOwnFile(SpawnPlan plan, string path, string text, bool ignoreErrors)
    {
        int open = plan.Call($"open {path}", SyscallNumber.openat, ignoreErrors, CurrentDirectory, plan.Text(path), (nint)(OpenFlags.O_WRONLY | OpenFlags.O_CLOEXEC), 0);
        int write = plan.Call($"write {path}", SyscallNumber.write, ignoreErrors, -1, plan.Text(text), text.Length);
        plan.StoreResult(open, write, 0); // close-on-exec: nothing to close
    }
}
