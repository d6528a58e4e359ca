using System.Globalization;
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

            text.Append(mount.Source).Append(" "u8).AppendEscaped(point, Escaped);
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
            text.Append(string.Create(CultureInfo.InvariantCulture, $"{mount.Id} {parent} {mount.Filesystem.Device.Major}:{mount.Filesystem.Device.Minor} / ")).AppendEscaped(point, Escaped);
            text.AppendLine($" {OptionsOf(mount)} - {mount.Filesystem.TypeName} {mount.Source} {(mount.IsReadOnly ? "ro" : "rw")}{Suffix(mount)}");
        }
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
        options.Add("relatime");
        return string.Join(',', options);
    }

    private static string Suffix(Mount mount) => mount.Filesystem.Options.Length > 0 ? "," + mount.Filesystem.Options : "";
}
