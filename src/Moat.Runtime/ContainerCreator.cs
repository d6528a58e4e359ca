using Moat.Control;
using Moat.Host;
using Moat.Host.Process;
using Moat.Linux;
using Moat.Oci;
using Moat.Runtime.Cgroups;
using Moat.Runtime.Hooks;
using Moat.Runtime.Launch;
using Moat.Runtime.State;

namespace Moat.Runtime;

/// <summary>Makes containers. Whatever fails in between leaves nothing behind; if the command is killed, <c>delete</c> finds what there is in the record.</summary>
public static class ContainerCreator
{
    /// <summary>create: everything but the first process.</summary>
    /// <param name="options">Where its state is kept.</param>
    /// <param name="create">What it is.</param>
    /// <param name="warn">Told in one line of what the configuration asks for in vain.</param>
    /// <returns>The record of the created container.</returns>
    /// <exception cref="RuntimeException">It cannot be made.</exception>
    public static ContainerRecord Create(RuntimeOptions options, CreateOptions create, Action<string> warn)
    {
        if (ContainerId.Validate(create.Id) is { } fault)
        {
            throw new RuntimeException(fault);
        }

        CheckTerminal(create);
        ContainerRecord? sandbox = SandboxFinder.Find(options, create.Spec);
        if (sandbox is null)
        {
            NetworkCheck.Require(create.Spec, options.Sandbox.Network);
        }

        using ContainerDirectory directory = ContainerDirectory.Create(options.Root, create.Id);
        ContainerRecord record = new()
        {
            Id = create.Id,
            Bundle = create.Bundle,
            Rootfs = BindSource.RootPath(create.Spec, create.Bundle),
            Created = DateTime.UtcNow,
            OwnerUid = HostIdentity.Uid,
            Written = ContainerStatus.Creating,
            Spec = create.Spec,
            SandboxId = sandbox?.Id,
            SandboxPid = sandbox?.SandboxPid ?? 0,
            SandboxStart = sandbox?.SandboxStart ?? 0,
        };
        try
        {
            return Build(options, create, directory, sandbox, ref record, warn);
        }
        catch (RuntimeException)
        {
            Container.Destroy(options, record);
            directory.Remove();
            throw;
        }
    }

    private static ContainerRecord Build(RuntimeOptions options, CreateOptions create, ContainerDirectory directory, ContainerRecord? sandbox, ref ContainerRecord record, Action<string> warn)
    {
        Cgroup? cgroup = options.IgnoreCgroups || options.Rootless ? null : Cgroup.Locate(create.Spec.Linux?.CgroupsPath, create.Id, options.SystemdCgroup);
        record = record with { CgroupPaths = cgroup?.Paths ?? [] };
        directory.Write(record);
        IReadOnlyList<string> skipped = cgroup?.Create(create.Spec.Linux?.Resources) ?? [];

        using DescriptorSet owned = new();
        SandboxStreams streams = SandboxStreams.Inherited;
        if (create.ConsoleSocket is { } socket)
        {
            int slave = ConsoleSocket.CreateAndSend(socket, create.Spec.Process!.ConsoleSize);
            owned.Add(slave);
            streams = new SandboxStreams(slave, slave, slave, IsOwnTerminal: true);
        }

        ContainerRecord started = record;
        BootReport report;
        IReadOnlyList<string> shared = [];
        void OnGoferStarted(HostProcess process)
        {
            started = started with { GoferPid = process.Pid, GoferStart = process.StartTicks };
            directory.Write(started);
        }

        void OnStarted(HostProcess process)
        {
            started = started with { SandboxPid = process.Pid, SandboxStart = process.StartTicks };
            directory.Write(started);
        }

        try
        {
            IReadOnlyList<string> members = cgroup?.MemberFiles ?? [];
            if (sandbox is null)
            {
                report = new SentryLauncher(options, directory).Launch(create.Id, create.Spec, create.Bundle, streams, create.PreservedFds, create.EndsWithCaller, members, OnGoferStarted, OnStarted);
            }
            else
            {
                SandboxJoiner joiner = new(options, sandbox, directory);
                report = new BootReport { Ignored = joiner.Join(create, streams, members, OnGoferStarted) };
                HostProcess standIn = joiner.StartStandIn(create, streams, members);
                started = started with { StandInPid = standIn.Pid, StandInStart = standIn.StartTicks };
                directory.Write(started);
                shared = joiner.SharedNamespaces;
            }
        }
        finally
        {
            record = started;
        }

        OciHooks hooks = create.Spec.Hooks ?? new OciHooks();
        OciState state = record.ToState(ContainerStatus.Creating);
        HookRunner.Run("prestart", hooks.Prestart, state);
        HookRunner.Run("createRuntime", hooks.CreateRuntime, state);
        HookRunner.Run("createContainer", hooks.CreateContainer, state, Container.NetworkNamespace(record));
        Container.Open(options, create.Id).Ask(new ControlRequest { Method = ControlMethod.Prepare });
        IReadOnlyList<string> ignored = [.. IgnoredSettings.Find(create.Spec, shared, options.Sandbox.OciSeccomp), .. report.Ignored ?? [], .. skipped];
        if (ignored.Count > 0)
        {
            warn($"config.json: without effect: {string.Join(", ", ignored)}");
        }

        if (report.Note is { } note)
        {
            warn(note);
        }

        if (create.PidFile is { } pidFile)
        {
            PidFile.Write(pidFile, record.Process.Pid);
        }

        record = record with { Written = ContainerStatus.Created };
        directory.Write(record);
        return record;
    }

    private static void CheckTerminal(CreateOptions create)
    {
        bool isTerminal = create.Spec.Process!.Terminal;
        if (create.ConsoleSocket is not null && !isTerminal)
        {
            throw new RuntimeException("cannot use a console socket if config.json: process.terminal is false");
        }

        if (create.ConsoleSocket is null && isTerminal && create.IsDetached)
        {
            throw new RuntimeException("cannot allocate a terminal without --console-socket if nobody waits for the container");
        }
    }
}
