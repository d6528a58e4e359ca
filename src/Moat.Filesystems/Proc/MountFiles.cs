using System.Globalization;
using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;

namespace Moat.Filesystems.Proc;

/// <summary>mounts and mountinfo of a process (proc(5)).</summary>
internal static class MountFiles
{
    private static ReadOnlySpan<byte> Escaped => " \t\n\\"u8;

    /// <summary>/proc/PID/mounts.</summary>
    public static void Mounts(GuestTask task, SyntheticText text)
    {
        foreach (Mount mount in task.Fs.MountNamespace.List())
        {
            if (PointOf(task, mount) is not { } point)
            {
                continue;
            }

            text.AppendEscaped(Encoding.Latin1.GetBytes(mount.Source), Escaped).Append(" "u8).AppendEscaped(point, Escaped);
            text.AppendLine($" {mount.Filesystem.TypeName} {OptionsOf(mount)}{Suffix(mount)} 0 0");
        }
    }

    /// <summary>/proc/PID/mountinfo.</summary>
    public static void MountInfo(GuestTask task, SyntheticText text)
    {
        foreach (Mount mount in task.Fs.MountNamespace.List())
        {
            if (PointOf(task, mount) is not { } point)
            {
                continue;
            }

            int parent = mount.Point?.Mount.Id ?? mount.Id;
            byte[] top = mount.Root.Inode is NamespaceInode ns ? Encoding.ASCII.GetBytes(ns.Name) : PathPrinter.PrintWithin(mount.Root);
            text.Append(string.Create(CultureInfo.InvariantCulture, $"{mount.Id} {parent} {mount.Filesystem.Device.Major}:{mount.Filesystem.Device.Minor} ")).AppendEscaped(top, Escaped);
            text.Append(" "u8).AppendEscaped(point, Escaped).Append($" {OptionsOf(mount)}{PropagationOf(mount)} - {mount.Filesystem.TypeName} ").AppendEscaped(Encoding.Latin1.GetBytes(mount.Source), Escaped);
            text.AppendLine($" rw{Suffix(mount)}");
        }
    }

    /// <summary>/proc/PID/mountstats.</summary>
    public static void MountStatistics(GuestTask task, SyntheticText text)
    {
        foreach (Mount mount in task.Fs.MountNamespace.List())
        {
            if (PointOf(task, mount) is { } point)
            {
                text.Append("device "u8).AppendEscaped(Encoding.Latin1.GetBytes(mount.Source), Escaped).Append(" mounted on "u8).AppendEscaped(point, Escaped);
                text.AppendLine($" with fstype {mount.Filesystem.TypeName}");
            }
        }
    }

    private static string PropagationOf(Mount mount)
    {
        string text = mount.PeerGroupId > 0 ? string.Create(CultureInfo.InvariantCulture, $" shared:{mount.PeerGroupId}") : "";
        text += mount.MasterGroupId > 0 ? string.Create(CultureInfo.InvariantCulture, $" master:{mount.MasterGroupId}") : "";
        return mount.IsUnbindable ? text + " unbindable" : text;
    }

    private static byte[]? PointOf(GuestTask task, Mount mount)
    {
        byte[] path = PathPrinter.Print(task.Fs.Root, new PathLocation(mount, mount.Root), out bool isReachable);
        return isReachable ? path : null;
    }

    private static string OptionsOf(Mount mount)
    {
        List<string> options = [mount.IsReadOnly ? "ro" : "rw"];
        void Add(MountFlags flag, string name)
        {
            if ((mount.Flags & flag) != 0)
            {
                options.Add(name);
            }
        }

        Add(MountFlags.NoSuid, "nosuid");
        Add(MountFlags.NoDev, "nodev");
        Add(MountFlags.NoExec, "noexec");
        Add(MountFlags.NoAtime, "noatime");
        Add(MountFlags.NoDirAtime, "nodiratime");
        Add(MountFlags.RelAtime, "relatime");
        Add(MountFlags.NoSymFollow, "nosymfollow");
        return string.Join(',', options);
    }

    private static string Suffix(Mount mount) => mount.Filesystem.Options.Length > 0 ? "," + mount.Filesystem.Options : "";
}
