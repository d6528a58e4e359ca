using Moat.Control;
using Moat.Host;
using Moat.Host.Process;
using Moat.Linux;
using Moat.Oci;
using Moat.Runtime.State;

namespace Moat.Runtime.Launch;

/// <summary>Brings a container into a running sandbox: it gets a Gofer and a process that stands for it on the host; the rest is the Sentry's.</summary>
/// <param name="options">Where containers are.</param>
/// <param name="sandbox">The sandbox's first container.</param>
/// <param name="directory">The new container's directory.</param>
internal sealed class SandboxJoiner(RuntimeOptions options, ContainerRecord sandbox, ContainerDirectory directory)
{
    private const int TiocsCtty = 0x540E;

    /// <summary>Types of namespaces that can be another container's of the sandbox, each with its file in /proc/PID/ns.</summary>
    private static readonly (string Type, string File)[] s_shared = [("pid", "pid"), ("ipc", "ipc"), ("uts", "uts")];

    private readonly string?[] _sharers = new string?[s_shared.Length];

    /// <summary>The namespaces that are another container's.</summary>
    public IReadOnlyList<string> SharedNamespaces => [.. s_shared.Where((_, i) => _sharers[i] is not null).Select(static shared => shared.Type)];

    /// <summary>Starts the Gofer and has the Sentry make the container.</summary>
    /// <param name="create">What it is.</param>
    /// <param name="streams">Standard input, output and error.</param>
    /// <param name="memberFiles">Files of the cgroups that the Gofer joins.</param>
    /// <param name="onGoferStarted">Told of the Gofer as soon as there is one.</param>
    /// <returns>Members of the configuration that have no effect.</returns>
    /// <exception cref="RuntimeException">The Gofer does not start, or the Sentry refuses.</exception>
    public IReadOnlyList<string> Join(CreateOptions create, SandboxStreams streams, IReadOnlyList<string> memberFiles, Action<HostProcess> onGoferStarted)
    {
        for (int i = 0; i < s_shared.Length; i++)
        {
            _sharers[i] = SandboxFinder.FindSharer(options, sandbox, create.Spec, s_shared[i].Type, s_shared[i].File);
        }

        using DescriptorSet owned = new();
        IReadOnlyList<BindSource> sources = BindSource.OpenAll(create.Spec, create.Bundle, options.Sandbox.WritesToRoot, owned);
        StartedGofer gofer = new GoferLauncher(options, directory.Jail).Start(create.Id, sources, owned.OpenMembers(memberFiles), owned, onGoferStarted);
        LaunchReport.Await(gofer.ReadyFd, gofer.Pid, "the gofer");

        ChildDescriptors sent = new();
        List<BootMount> mounts = [];
        for (int i = 0; i < sources.Count; i++)
        {
            mounts.Add(sources[i].ToMount(sent.Add(gofer.Connections[i])));
        }

        int[] process = [.. OwnDescription.OfTerminals([streams.Input, streams.Output, streams.Error], owned), .. Enumerable.Range(3, create.PreservedFds)];
        ContainerConfig config = new()
        {
            Spec = create.Spec,
            Flags = options.Sandbox,
            Mounts = mounts,
            ProcessFds = [.. process.Select(sent.Add)],
            PidsOf = _sharers[0],
            IpcOf = _sharers[1],
            UtsOf = _sharers[2],
        };
        if (sent.Sources.Count > ControlChannel.MaxDescriptors)
        {
            throw new RuntimeException($"config.json: mounts: a container that joins a sandbox can have {ControlChannel.MaxDescriptors} bind mounts and streams");
        }

        return Container.Ask(options, sandbox.Id, new ControlRequest { Method = ControlMethod.Add, Container = create.Id, Config = config }, [.. sent.Sources]).Ignored ?? [];
    }

    /// <summary>Starts the process that stands for the container on the host. Its namespaces are named as the container's are, for whoever wants to join those.</summary>
    /// <param name="create">What the container is.</param>
    /// <param name="streams">Its streams: a terminal of its own tells the process of what is typed.</param>
    /// <param name="memberFiles">Files of the cgroups that it joins.</param>
    /// <exception cref="RuntimeException">It cannot be started.</exception>
    public HostProcess StartStandIn(CreateOptions create, SandboxStreams streams, IReadOnlyList<string> memberFiles)
    {
        using DescriptorSet owned = new();
        int discard = owned.Own(HostPath.OpenFile("/dev/null", OpenFlags.O_RDWR), "/dev/null");
        int executable = owned.Own(HostPath.OpenFile("/proc/self/exe", OpenFlags.O_PATH), "/proc/self/exe");
        using SpawnPlan plan = new();
        Confinement.JoinGroups(plan, owned.OpenMembers(memberFiles));
        if (!options.Rootless)
        {
            TakeNamespaces(plan, create.Spec, owned);
        }

        plan.Call("setsid", SyscallNumber.setsid, false);
        if (streams.IsOwnTerminal)
        {
            plan.Call("controlling terminal", SyscallNumber.ioctl, false, streams.Input, TiocsCtty, 0);
        }

        plan.Descriptors([discard, discard, discard], executable);
        if (create.EndsWithCaller)
        {
            Confinement.EndWithParent(plan);
        }

        plan.Execute(executable, ["runsc", $"--root={options.Root}", "stand-in", create.Id], ["DOTNET_TieredCompilation=0"]);
        int pid = plan.Run(out SpawnFailure failure);
        return pid != 0 && HostProcess.Find(pid).TryGet(out HostProcess process, out _) ? process : throw new RuntimeException($"cannot start a process for the container: {failure}");
    }

    private void TakeNamespaces(SpawnPlan plan, OciSpec spec, DescriptorSet owned)
    {
        int network = owned.Own(HostPath.OpenFile($"/proc/{sandbox.SandboxPid}/ns/net", OpenFlags.O_RDONLY), "network namespace of the sandbox");
        plan.Call("join the network namespace", SyscallNumber.setns, false, network, unchecked((nint)(ulong)SpawnFlags.CLONE_NEWNET));
        SpawnFlags[] flags = [SpawnFlags.CLONE_NEWPID, SpawnFlags.CLONE_NEWIPC, SpawnFlags.CLONE_NEWUTS];
        plan.Flags = _sharers[0] is null ? flags[0] : 0; // only a child could be put into another's
        for (int i = 1; i < flags.Length; i++)
        {
            if (_sharers[i] is null)
            {
                plan.Call("new namespace", SyscallNumber.unshare, false, unchecked((nint)(ulong)flags[i]));
                continue;
            }

            string path = spec.Linux!.FindNamespace(s_shared[i].Type)!.Path;
            plan.Call($"join {path}", SyscallNumber.setns, false, owned.Own(HostPath.OpenFile(path, OpenFlags.O_RDONLY), path), unchecked((nint)(ulong)flags[i]));
        }
    }
}
