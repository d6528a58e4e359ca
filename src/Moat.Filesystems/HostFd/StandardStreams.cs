using Moat.Filesystems.Devpts;
using Moat.Filesystems.Tty;
using Moat.Host;
using Moat.Host.Terminals;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.HostFd;

/// <summary>Turns descriptors of the host into a new process's open files: a terminal gets a place in /dev/pts and becomes the process's controlling terminal, others stay what they are.</summary>
/// <param name="kernel">The kernel.</param>
/// <param name="files">The home of what is no terminal.</param>
/// <param name="terminals">Where terminals get their places.</param>
public sealed class StandardStreams(SentryKernel kernel, HostFdFilesystem files, DevptsFilesystem terminals)
{
    /// <summary>Installs descriptors from 0 on; those that are not open on the host are left out.</summary>
    /// <param name="task">A task that leads a session and does not run yet.</param>
    /// <param name="descriptors">The host's descriptors; its own from now on.</param>
    /// <returns>The controlling terminal, or null.</returns>
    public Terminal? Install(GuestTask task, IReadOnlyList<int> descriptors)
    {
        Dictionary<(ulong Device, ulong Inode), List<int>> groups = [];
        for (int i = 0; i < descriptors.Count; i++)
        {
            if (PseudoTerminal(descriptors[i]) is { } identity)
            {
                (groups.TryGetValue(identity, out List<int>? list) ? list : groups[identity] = []).Add(i);
            }
        }

        Dictionary<int, Terminal> shown = [];
        foreach (List<int> group in groups.Values)
        {
            int[] fds = [.. group.Select(i => descriptors[i])];
            if (terminals.Add((index, onGone) => new HostTerminal(kernel, files.Poller, index, fds, onGone)).TryGet(out Terminal? terminal, out _))
            {
                group.ForEach(i => shown.Add(i, terminal));
            }
        }

        for (int i = 0; i < descriptors.Count; i++)
        {
            if (HostFile.GetStatusFlags(descriptors[i]).TryGet(out OpenFlags flags, out _)
                && Open(task, descriptors[i], flags & (OpenFlags.O_ACCMODE | OpenFlags.O_APPEND), shown.GetValueOrDefault(i)).TryGet(out FileDescription? stream, out _))
            {
                task.Files.InstallAt(task, i, stream, closeOnExec: false, ResourceLimit.Infinity);
            }
        }

        return shown.GetValueOrDefault(0);
    }

    private Result<FileDescription> Open(GuestTask task, int fd, OpenFlags flags, Terminal? terminal)
    {
        if (terminal is null)
        {
            return files.Import(fd, flags);
        }

        PathLocation? location = PathWalker.Resolve(task, task.Fs.Root, System.Text.Encoding.ASCII.GetBytes($"/dev/pts/{terminal.Index}"), WalkFlags.None).TryGet(out PathLocation found, out _)
            && found.Inode == terminals.Find(terminal.Index) ? found : null;
        return new TerminalDescription(terminal, terminals.Find(terminal.Index)!, flags, location);
    }

    private static (ulong Device, ulong Inode)? PseudoTerminal(int fd) =>
        HostTerminalSettings.Get(fd).IsOk && HostFile.Stat(fd).TryGet(out HostStat stat, out _) ? (stat.SpecialDevice, stat.Inode) : null;
}
