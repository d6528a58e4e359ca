using Moat.Control;
using Moat.Host;
using Moat.Host.Process;
using Moat.Host.Sockets;
using Moat.Linux;
using Moat.Oci;
using Moat.Runtime.State;

namespace Moat.Runtime.Launch;

/// <summary>Starts the Sentry of a container, confined: it is born in namespaces of its own with an empty root, no capabilities, and the descriptors that it was given.</summary>
internal sealed class SentryLauncher(RuntimeOptions options, ContainerDirectory directory)
{
    private const int TiocsCtty = 0x540E;
    private const string SelfExecutable = "/proc/self/exe";

    /// <summary>Starts it and waits until it can run the first process.</summary>
    /// <param name="id">The container.</param>
    /// <param name="spec">Its configuration.</param>
    /// <param name="bundle">Its bundle.</param>
    /// <param name="streams">Standard input, output and error.</param>
    /// <param name="preservedFds">How many descriptors from 3 on the first process inherits.</param>
    /// <param name="endsWithCaller">Whether it is killed when the calling process ends.</param>
    /// <param name="memberFiles">Files of the cgroups that it joins.</param>
    /// <param name="onGoferStarted">Told of the Gofer as soon as there is one.</param>
    /// <param name="onStarted">Told of the Sentry as soon as there is one, before it is waited for.</param>
    /// <returns>What the Sentry reports.</returns>
    /// <exception cref="RuntimeException">It did not start; then it is gone.</exception>
    public BootReport Launch(string id, OciSpec spec, string bundle, SandboxStreams streams, int preservedFds, bool endsWithCaller, IReadOnlyList<string> memberFiles, Action<HostProcess> onGoferStarted, Action<HostProcess> onStarted)
    {
        using DescriptorSet owned = new();
        ChildDescriptors child = new();
        int discard = owned.Own(HostPath.OpenFile("/dev/null", OpenFlags.O_RDWR), "/dev/null");
        int log = options.OpenDebugLog("boot", id);
        if (log >= 0)
        {
            owned.Add(log);
        }

        child.Add(discard);
        child.Add(discard);
        child.Add(log >= 0 ? log : discard); // where the runtime tells of its own end
        int configNumber = child.Reserve();
        (int readyRead, int readyWrite) = Require(HostPipe.Create(), "pipe");
        owned.Add(readyRead);
        owned.Add(readyWrite);
        int listener = owned.Own(SocketPath.With(directory.ControlSocket, static path => UnixSocket.Listen(path, 64)), "control socket");
        int exitFile = owned.Own(HostPath.OpenFile(directory.ExitStatusFile, OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_TRUNC), "exit status file");
        if (HostMemory.Truncate(exitFile, BootConfig.ExitStatusBytes) is var tooFull and not Errno.None)
        {
            throw new RuntimeException($"exit status file: {tooFull}");
        }

        IReadOnlyList<BindSource> sources = BindSource.OpenAll(spec, bundle, options.Sandbox.WritesToRoot, owned);
        List<int> memberFds = owned.OpenMembers(memberFiles);
        StartedGofer gofer = new GoferLauncher(options, directory.Jail).Start(id, sources, memberFds, owned, onGoferStarted);
        List<BootMount> mounts = [];
        for (int i = 0; i < sources.Count; i++)
        {
            mounts.Add(sources[i].ToMount(child.Add(gofer.Connections[i])));
        }

        List<int> preserved = [];
        for (int fd = 3; fd < 3 + preservedFds; fd++)
        {
            preserved.Add(child.Add(fd));
        }

        BootConfig config = new()
        {
            ContainerId = id,
            Spec = spec,
            Flags = options.Sandbox,
            Facts = HostFactsReader.Read(spec.Linux?.Resources, spec.Process!.Terminal ? streams.Output : -1),
            ControlFd = child.Add(listener),
            ReadyFd = child.Add(readyWrite),
            ExitStatusFd = child.Add(exitFile),
            Mounts = mounts,
            StdioFds = [.. OwnDescription.OfTerminals([streams.Input, streams.Output, streams.Error], owned).Select(child.Add)],
            DebugLogFd = child.Add(log),
            UserLogFd = -1,
            PreservedFds = preserved,
        };
        int configFd = owned.Own(ConfigFile.Create(config, ControlJson.Default.BootConfig, "boot"u8), "configuration");
        child.Fill(configNumber, configFd);

        int executable = owned.Own(HostPath.OpenFile(SelfExecutable, OpenFlags.O_PATH), SelfExecutable);
        using SpawnPlan plan = new();
        Prepare(plan, spec, streams, memberFds, owned);
        plan.Descriptors(child.Sources, executable);
        Confinement.DropCapabilities(plan);
        if (endsWithCaller)
        {
            Confinement.EndWithParent(plan); // last: a change of credentials would clear it
        }

        plan.Execute(executable, ProcessTitle.With(["runsc", "boot", id], spec.Process!.Args), ["DOTNET_TieredCompilation=0"]);
        int pid = plan.Run(out SpawnFailure failure);
        if (pid == 0)
        {
            throw new RuntimeException($"cannot start the sandbox: {failure}");
        }

        if (HostProcess.Find(pid).TryGet(out HostProcess process, out _))
        {
            onStarted(process);
        }

        owned.Close(readyWrite);
        LaunchReport.Await(gofer.ReadyFd, gofer.Pid, "the gofer");
        return LaunchReport.Await(readyRead, pid, "the sandbox");
    }

    // Namespaces that are somebody else's are joined before the user namespace takes the power to do so away.
    private void Prepare(SpawnPlan plan, OciSpec spec, SandboxStreams streams, IReadOnlyList<int> members, DescriptorSet owned)
    {
        SpawnFlags unshared = SpawnFlags.CLONE_NEWNS | SpawnFlags.CLONE_NEWIPC | SpawnFlags.CLONE_NEWUTS;
        string network = spec.Linux?.FindNamespace("network")?.Path ?? "";
        bool isHosts = options.Sandbox.Network == "host" && spec.Linux?.FindNamespace("network") is null;
        if (network.Length == 0 && !isHosts)
        {
            unshared |= SpawnFlags.CLONE_NEWNET;
        }

        // An ordinary user has no power before the user namespace, so for one it comes with the child.
        plan.Flags = options.Rootless ? SpawnFlags.CLONE_NEWPID | SpawnFlags.CLONE_NEWUSER : SpawnFlags.CLONE_NEWPID;
        Confinement.JoinGroups(plan, members);
        Confinement.WriteOwnFile(plan, "/proc/self/oom_score_adj", (spec.Process!.OomScoreAdj ?? 0).ToString(System.Globalization.CultureInfo.InvariantCulture), ignoreErrors: true);
        plan.BlockedSignals = TerminalSignals.Blocked;
        plan.Call("setsid", SyscallNumber.setsid, false);
        if (streams.IsOwnTerminal)
        {
            plan.Call("controlling terminal", SyscallNumber.ioctl, false, streams.Input, TiocsCtty, 0);
        }

        if (network.Length > 0)
        {
            int fd = owned.Own(HostPath.OpenFile(network, OpenFlags.O_RDONLY), $"config.json: linux.namespaces: network: {network}");
            plan.Call("join the network namespace", SyscallNumber.setns, false, fd, unchecked((nint)(ulong)SpawnFlags.CLONE_NEWNET));
        }
        else if (!options.Rootless && !isHosts)
        {
            // Made by root, so that hooks and Docker can put interfaces into it; the Sentry itself has no power there.
            plan.Call("new network namespace", SyscallNumber.unshare, false, unchecked((nint)(ulong)SpawnFlags.CLONE_NEWNET));
            unshared &= ~SpawnFlags.CLONE_NEWNET;
        }

        Confinement.EnterJail(plan, directory.Jail);
        plan.Call("new namespaces", SyscallNumber.unshare, false, unchecked((nint)(ulong)(options.Rootless ? unshared : unshared | SpawnFlags.CLONE_NEWUSER)));
        Confinement.RaiseFileLimit(plan);
        Confinement.EnterEmptyRoot(plan, directory.Jail);
    }

    private static T Require<T>(Result<T> result, string name) => result.TryGet(out T? value, out Errno errno) ? value : throw new RuntimeException($"{name}: {errno}");
}
