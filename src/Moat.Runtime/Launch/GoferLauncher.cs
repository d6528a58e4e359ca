using Moat.Control;
using Moat.Host;
using Moat.Host.Process;
using Moat.Host.Sockets;
using Moat.Linux;

namespace Moat.Runtime.Launch;

/// <summary>Starts the Gofer of a container, confined: it is born in a mount namespace whose root holds the exported trees and nothing else, with the capabilities that file work needs.</summary>
internal sealed class GoferLauncher(RuntimeOptions options, string jail)
{
    private const nint CurrentDirectory = HostFile.CurrentDirectory;
    private const int MsReadOnly = 1;
    private const int MsNoSuid = 2;
    private const int MsNoDev = 4;
    private const int MsNoExec = 8;
    private const int MsRemount = 0x20;
    private const int MsBind = 0x1000;
    private const int MsRec = 0x4000;
    private const int MsSlave = 1 << 19;
    private const int OpenTreeClone = 1;
    private const int HighDescriptor = 500;

    // CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID: what the host's checks of owners and modes would refuse, which the Sentry makes itself.
    private const ulong Capabilities = (1UL << 0) | (1UL << 1) | (1UL << 3) | (1UL << 4);

    /// <summary>Starts it; <see cref="Await"/> waits until it serves.</summary>
    /// <param name="id">The container.</param>
    /// <param name="sources">What it serves, the root first.</param>
    /// <param name="memberFds">Member files of the cgroups that it joins.</param>
    /// <param name="owned">Receives the descriptors.</param>
    /// <param name="onStarted">Told of the process.</param>
    /// <returns>The Sentry's ends of the connections, one for each source, and the pipe for its report.</returns>
    /// <exception cref="RuntimeException">It did not start.</exception>
    public StartedGofer Start(string id, IReadOnlyList<BindSource> sources, IReadOnlyList<int> memberFds, DescriptorSet owned, Action<HostProcess> onStarted)
    {
        ChildDescriptors child = new();
        int discard = owned.Own(HostPath.OpenFile("/dev/null", OpenFlags.O_RDWR), "/dev/null");
        child.Add(discard);
        child.Add(discard);
        child.Add(discard);
        int configNumber = child.Reserve();
        (int readyRead, int readyWrite) = HostPipe.Create().TryGet(out (int, int) pipe, out Errno errno) ? pipe : throw new RuntimeException($"pipe: {errno}");
        owned.Add(readyRead);
        owned.Add(readyWrite);
        int log = options.OpenDebugLog("gofer", id);
        if (log >= 0)
        {
            owned.Add(log);
        }

        List<int> connections = [];
        List<int> goferEnds = [];
        List<GoferExport> exports = [];
        foreach (BindSource source in sources)
        {
            (int sentryEnd, int goferEnd) = UnixSocket.CreatePair().TryGet(out (int, int) pair, out errno) ? pair : throw new RuntimeException($"socketpair: {errno}");
            owned.Add(sentryEnd);
            owned.Add(goferEnd);
            connections.Add(sentryEnd);
            goferEnds.Add(goferEnd);
            exports.Add(new GoferExport { Name = source.Destination, Source = $"/{exports.Count}", IsReadOnly = source.IsReadOnly, ConnectionFd = child.Add(goferEnd) });
        }

        GoferConfig config = new()
        {
            ContainerId = id,
            Exports = exports,
            ReadyFd = child.Add(readyWrite),
            DebugLogFd = child.Add(log),
            Debug = options.Sandbox.Debug,
            DescriptorsFd = child.Reserve(),
        };
        child.Fill(configNumber, owned.Own(ConfigFile.Create(config, ControlJson.Default.GoferConfig, "gofer"u8), "configuration"));
        int executable = owned.Own(HostPath.OpenFile("/proc/self/exe", OpenFlags.O_PATH), "/proc/self/exe");
        using SpawnPlan plan = new();
        plan.Flags = options.Rootless ? SpawnFlags.CLONE_NEWPID | SpawnFlags.CLONE_NEWUSER : SpawnFlags.CLONE_NEWPID;
        Confinement.JoinGroups(plan, memberFds);
        if (options.Rootless)
        {
            Confinement.BecomeRootOfOwnNamespace(plan);
        }

        plan.Call("setsid", SyscallNumber.setsid, false);
        const SpawnFlags Unshared = SpawnFlags.CLONE_NEWNS | SpawnFlags.CLONE_NEWIPC | SpawnFlags.CLONE_NEWUTS | SpawnFlags.CLONE_NEWNET;
        plan.Call("new namespaces", SyscallNumber.unshare, false, unchecked((nint)(ulong)Unshared));
        Confinement.RaiseFileLimit(plan);
        int descriptors = CloneDescriptorsMount(plan);
        BuildRoot(plan, sources);
        plan.Descriptors(child.Sources, executable);
        plan.StoreResult(descriptors, plan.Call("dup2", SyscallNumber.dup2, false, 0, config.DescriptorsFd), 0);
        Confinement.KeepCapabilities(plan, Capabilities);
        plan.Execute(executable, ["runsc", "gofer", id], ["DOTNET_TieredCompilation=0"]);
        int pid = plan.Run(out SpawnFailure failure);
        if (pid == 0)
        {
            throw new RuntimeException($"cannot start the gofer: {failure}");
        }

        if (HostProcess.Find(pid).TryGet(out HostProcess process, out _))
        {
            onStarted(process);
        }

        owned.Close(readyWrite);
        goferEnds.ForEach(owned.Close); // so that the Sentry sees it when the Gofer goes, however early
        return new StartedGofer(connections, readyRead, pid);
    }

    // /proc/self/fd as a mount of its own, which leads nowhere else. The process is still the one that will serve.
    private static int CloneDescriptorsMount(SpawnPlan plan)
    {
        const int DupFd = 1030; // F_DUPFD_CLOEXEC
        int opened = plan.Call("open_tree /proc/self/fd", SyscallNumber.open_tree, false, CurrentDirectory, plan.Text("/proc/self/fd"), OpenTreeClone);
        int moved = plan.Call("dup", SyscallNumber.fcntl, false, 0, DupFd, HighDescriptor);
        plan.StoreResult(opened, moved, 0);
        return moved;
    }

    // A small file system with one place for each export, and nothing else of the host's.
    private void BuildRoot(SpawnPlan plan, IReadOnlyList<BindSource> sources)
    {
        const int RegularFile = 0x8180; // S_IFREG | 0600
        nint none = plan.Text("none");
        nint tmpfs = plan.Text("tmpfs");
        nint path = plan.Text(jail);
        nint root = plan.Text("/");
        plan.Call("make mounts private", SyscallNumber.mount, false, 0, root, 0, MsRec | MsSlave, 0);
        plan.Call("mount the gofer's root", SyscallNumber.mount, false, none, path, tmpfs, MsNoSuid | MsNoDev | MsNoExec, plan.Text("mode=0700,size=1m"));
        for (int i = 0; i < sources.Count; i++)
        {
            BindSource source = sources[i];
            nint target = plan.Text($"{jail}/{i}");
            if (source.IsDirectory)
            {
                plan.Call("mkdir", SyscallNumber.mkdir, false, target, 0x1C0);
            }
            else
            {
                plan.Call("mknod", SyscallNumber.mknod, false, target, RegularFile, 0);
            }

            plan.Call($"bind {source.Path}", SyscallNumber.mount, false, plan.Text(source.Path), target, 0, MsBind | MsRec, 0);
            foreach (string hidden in source.HostMounts)
            {
                // What the Sentry has of its own must not be the host's, whatever the guest unmounts.
                plan.Call($"hide {hidden}", SyscallNumber.mount, false, none, plan.Text($"{jail}/{i}/{hidden}"), tmpfs, MsReadOnly | MsNoSuid | MsNoDev | MsNoExec, plan.Text("mode=0555,size=0"));
            }

            if (source.IsReadOnly)
            {
                // The Gofer refuses writes itself; this is the second lock, which an ordinary user may not turn on every mount.
                plan.Call("remount read-only", SyscallNumber.mount, true, 0, target, 0, MsRemount | MsBind | MsReadOnly, 0);
            }
        }

        Confinement.PivotInto(plan, path);
    }
}
