using Moat.Control;
using Moat.Host.Process;
using Moat.Linux;
using Moat.Oci;
using Moat.Runtime.Cgroups;
using Moat.Runtime.Hooks;
using Moat.Runtime.Launch;
using Moat.Runtime.State;

namespace Moat.Runtime;

/// <summary>A container as the commands see it: each method is one command, takes the container's lock for as long as it changes something, and leaves the record right.</summary>
public sealed class Container
{
    private const int KillTimeoutMs = 10_000;
    private const int AnswerTimeoutMs = 10_000; // a sandbox that does not answer in this time is stuck
    private const int GentleKillTimeoutMs = 2_000;

    private readonly RuntimeOptions _options;

    private Container(RuntimeOptions options, ContainerRecord record)
    {
        _options = options;
        Record = record;
    }

    /// <summary>The record as it was read.</summary>
    public ContainerRecord Record { get; private set; }

    /// <summary>The status now.</summary>
    public ContainerStatus Status => StatusOf(_options.Root, Record);

    /// <summary>A container's status now. One that is being made by nobody any more has stopped: the command that did was killed.</summary>
    public static ContainerStatus StatusOf(string root, ContainerRecord record)
    {
        ContainerStatus status = record.Status();
        return status == ContainerStatus.Creating && !ContainerDirectory.IsLocked(root, record.Id) ? ContainerStatus.Stopped : status;
    }

    /// <summary>Finds a container.</summary>
    /// <exception cref="RuntimeException">There is none, or it is only being made.</exception>
    public static Container Open(RuntimeOptions options, string id)
    {
        if (ContainerId.Validate(id) is { } fault)
        {
            throw new RuntimeException(fault);
        }

        return new Container(options, ContainerDirectory.Peek(options.Root, id) ?? throw new RuntimeException($"container \"{id}\" does not exist"));
    }

    /// <summary>start: runs the first process.</summary>
    public IReadOnlyList<string> Start()
    {
        using ContainerDirectory directory = Reopen();
        ContainerStatus status = Record.Status();
        if (status != ContainerStatus.Created)
        {
            throw new RuntimeException(status == ContainerStatus.Stopped ? "cannot start a container that has stopped" : $"cannot start a container in the {Name(status)} state");
        }

        OciHooks hooks = Record.Spec.Hooks ?? new OciHooks();
        OciState state = Record.ToState(ContainerStatus.Created);
        try
        {
            HookRunner.Run("startContainer", hooks.StartContainer, state, NetworkNamespace(Record));
            if (Record.SandboxId is null)
            {
                NetworkTakeover.Run(Record, _options.Sandbox.Network, (request, sockets) => Call(request, Errno.None, sockets));
            }

            Call(new ControlRequest { Method = ControlMethod.Start });
        }
        catch (RuntimeException)
        {
            // A container that cannot be started has stopped: engines look right after this.
            TryCall(_options, Record, new ControlRequest { Method = ControlMethod.Destroy }, AnswerTimeoutMs);
            EndProcess(Record);
            throw;
        }

        Record = Record with { Written = ContainerStatus.Running };
        directory.Write(Record);
        return HookRunner.RunAll("poststart", hooks.Poststart, Record.ToState(ContainerStatus.Running));
    }

    /// <summary>kill: sends a signal to the first process, another one, a group, or all.</summary>
    public void Kill(Signal signal, int pid, SignalScope scope)
    {
        // No lock: a stuck command must not keep a signal away.
        ContainerStatus status = Record.Status();
        if (status == ContainerStatus.Stopped)
        {
            // Docker and containerd know these words.
            throw new RuntimeException(scope == SignalScope.All ? "container not running" : "os: process already finished");
        }

        if (signal == Signal.SIGKILL && scope == SignalScope.Process && pid == 0)
        {
            // Nothing in the sandbox can keep this from happening.
            if (status == ContainerStatus.Paused && Record.SandboxId is null)
            {
                Cgroup.TryFreeze(Record.CgroupPaths, isFrozen: false);
            }

            if (TryCall(_options, Record, new ControlRequest { Method = ControlMethod.Signal, Signal = (int)signal }, GentleKillTimeoutMs) is { Error: null })
            {
                return;
            }

            Record.Process.Kill(Signal.SIGKILL);
            return;
        }

        if (Call(new ControlRequest { Method = ControlMethod.Signal, Signal = (int)signal, Pid = pid, Scope = scope }, Errno.ESRCH) is { Errno: (int)Errno.ESRCH })
        {
            throw new RuntimeException("os: process already finished");
        }
    }

    /// <summary>delete: removes everything that is left of a container.</summary>
    /// <param name="options">Where its state is.</param>
    /// <param name="id">The container.</param>
    /// <param name="isForced">Whether a running one is killed, and one that does not exist is no fault.</param>
    /// <returns>Faults of poststop hooks.</returns>
    public static IReadOnlyList<string> Delete(RuntimeOptions options, string id, bool isForced)
    {
        ContainerDirectory directory;
        try
        {
            if (isForced)
            {
                KillUnlocked(options, id);
            }

            directory = ContainerDirectory.Open(options.Root, id);
        }
        catch (RuntimeException) when (isForced && ContainerId.Validate(id) is null && !Directory.Exists(Path.Combine(options.Root, id)))
        {
            return [];
        }

        using (directory)
        {
            // No record: the command that made the directory was killed before it started anything.
            if (directory.Read() is not { } record)
            {
                directory.Remove();
                return [];
            }

            ContainerStatus status = record.Status();
            if (!isForced && status is ContainerStatus.Running or ContainerStatus.Paused && !isForced)
            {
                throw new RuntimeException($"cannot delete container \"{id}\" that is not stopped: {Name(status)}");
            }

            Destroy(options, record);
            IReadOnlyList<string> faults = HookRunner.RunAll("poststop", record.Spec.Hooks?.Poststop ?? [], record.ToState(ContainerStatus.Stopped));
            directory.Remove();
            return faults;
        }
    }

    /// <summary>pause: by the host's freezer where the container has one, otherwise by the Sentry.</summary>
    public void Pause() => SetPaused(isPaused: true);

    /// <summary>resume.</summary>
    public void Resume() => SetPaused(isPaused: false);

    /// <summary>update: new limits.</summary>
    /// <returns>Limits that this host's kernel does not have.</returns>
    public IReadOnlyList<string> Update(OciResources resources)
    {
        using ContainerDirectory directory = Reopen();
        if (Record.Status() == ContainerStatus.Stopped)
        {
            throw new RuntimeException("container not running");
        }

        return Record.CgroupPaths.Count > 0 ? Cgroup.Locate(Record.Spec.Linux?.CgroupsPath, Record.Id, _options.SystemdCgroup).Apply(resources)
            : throw new RuntimeException("the container has no cgroup: its limits cannot be changed");
    }

    /// <summary>wait: until the container, or a process in it, has ended.</summary>
    /// <returns>The exit code, or 128 and a signal's number.</returns>
    public int Wait(int pid, bool killWithCaller = false)
    {
        if (Record.Status() != ContainerStatus.Stopped
            && TryCall(_options, Record, new ControlRequest { Method = ControlMethod.Wait, Pid = pid, KillWithCaller = killWithCaller }, -1) is { } reply)
        {
            return reply.Error is null ? reply.ExitCode : throw new RuntimeException(reply.Error);
        }

        if (pid == 0)
        {
            Record.Process.WaitForEnd(-1);
        }

        return ReadExitCode() ?? throw new RuntimeException("the sandbox was killed: there is no exit status");
    }

    /// <summary>The exit code that the Sentry left; null if it was killed, or runs.</summary>
    public int? ReadExitCode()
    {
        try
        {
            string text = File.ReadAllText(ExitStatusFile).TrimEnd('\0');
            return int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out int code) ? code : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Asks the sandbox something that has no consequence for the record.</summary>
    /// <exception cref="RuntimeException">It refuses, or is not there.</exception>
    public ControlReply Ask(ControlRequest request, params ReadOnlySpan<int> descriptors) => Call(request, Errno.None, descriptors);

    /// <summary>As above, for a container that need not exist yet but in a sandbox.</summary>
    internal static ControlReply Ask(RuntimeOptions options, string sandbox, ControlRequest request, int[] descriptors) => Call(Path.Combine(options.Root, sandbox, "control"), request, Errno.None, descriptors);

    /// <summary>Opens a connection for more than one question.</summary>
    public ControlClient Connect() =>
        ControlClient.Connect(SocketOf(_options, Record)).TryGet(out ControlClient? client, out Errno errno) ? client : throw NotThere(errno);

    /// <summary>Ends all processes of a container on the host and removes its groups.</summary>
    internal static void Destroy(RuntimeOptions options, ContainerRecord record)
    {
        // A sandbox that is another's lives on, without this container.
        if (record.SandboxId is not null && record.Sandbox.IsAlive && TryCall(options, record, new ControlRequest { Method = ControlMethod.Destroy }, AnswerTimeoutMs) is { Error: { } fault, Errno: not (int)Errno.ESRCH })
        {
            throw new RuntimeException(fault);
        }

        EndProcess(record);

        if (record.GoferPid != 0 && record.Gofer.IsAlive)
        {
            record.Gofer.Kill(Signal.SIGKILL);
            record.Gofer.WaitForEnd(KillTimeoutMs);
        }

        Cgroup.Remove(record.CgroupPaths);
    }

    private static void EndProcess(ContainerRecord record)
    {
        if (record.Process is { Pid: not 0, IsAlive: true } process)
        {
            Cgroup.TryFreeze(record.CgroupPaths, isFrozen: false);
            process.Kill(Signal.SIGKILL);
            if (!process.WaitForEnd(KillTimeoutMs))
            {
                throw new RuntimeException($"the sandbox of container \"{record.Id}\" (process {process.Pid}) does not end");
            }
        }
    }

    /// <summary>A namespace file of a container's Sentry, for hooks.</summary>
    internal static string? NetworkNamespace(ContainerRecord record) => record.SandboxPid > 0 ? $"/proc/{record.SandboxPid}/ns/net" : null;

    /// <summary>Where the exit code is left.</summary>
    internal string ExitStatusFile => Path.Combine(_options.Root, Record.Id, "exit");

    private static string SocketOf(RuntimeOptions options, ContainerRecord record) => Path.Combine(options.Root, record.SandboxId ?? record.Id, "control");

    private static string Name(ContainerStatus status) => status.ToString().ToLowerInvariant();

    // A forced delete does not wait for a command that is stuck with the lock: what that one waits for is killed first.
    private static void KillUnlocked(RuntimeOptions options, string id)
    {
        if (ContainerId.Validate(id) is null && ContainerDirectory.Peek(options.Root, id) is { Process: { Pid: not 0, IsAlive: true } } record)
        {
            Cgroup.TryFreeze(record.CgroupPaths, isFrozen: false);
            record.Process.Kill(Signal.SIGKILL);
        }
    }

    private void SetPaused(bool isPaused)
    {
        using ContainerDirectory directory = Reopen();
        ContainerStatus status = Record.Status();
        if (isPaused ? status is not (ContainerStatus.Running or ContainerStatus.Created) : status != ContainerStatus.Paused)
        {
            throw new RuntimeException(status == ContainerStatus.Stopped ? "container not running" : $"cannot {(isPaused ? "pause" : "resume")} a container that is {Name(status)}");
        }

        if (Record.SandboxId is not null || !Cgroup.TryFreeze(Record.CgroupPaths, isPaused))
        {
            Call(new ControlRequest { Method = isPaused ? ControlMethod.Pause : ControlMethod.Resume });
        }

        Record = Record with { Written = isPaused ? ContainerStatus.Paused : ContainerStatus.Running };
        directory.Write(Record);
    }

    // Under the lock the record may have become another one.
    private ContainerDirectory Reopen()
    {
        ContainerDirectory directory = ContainerDirectory.Open(_options.Root, Record.Id);
        if (directory.Read() is { } record)
        {
            Record = record;
            return directory;
        }

        directory.Dispose();
        throw new RuntimeException($"container \"{Record.Id}\" does not exist");
    }

    private ControlReply Call(ControlRequest request, Errno tolerated = Errno.None, params ReadOnlySpan<int> descriptors) =>
        Call(SocketOf(_options, Record), request with { Container = Record.Id }, tolerated, descriptors);

    private static ControlReply Call(string socket, ControlRequest request, Errno tolerated, ReadOnlySpan<int> descriptors)
    {
        if (!ControlClient.Connect(socket).TryGet(out ControlClient? client, out Errno errno))
        {
            throw NotThere(errno);
        }

        using (client)
        {
            // Exec and start load a program, from a file system that may be slow; the rest is answered from memory.
            int timeoutMs = request.Method is ControlMethod.Exec or ControlMethod.Start or ControlMethod.Wait or ControlMethod.Add ? -1 : AnswerTimeoutMs;
            if (!client.Call(request, timeoutMs, descriptors).TryGet(out ControlReply? reply, out errno))
            {
                throw NotThere(errno);
            }

            return reply.Error is null || (tolerated != Errno.None && reply.Errno == (int)tolerated) ? reply
                : throw new RuntimeException(reply.Error) { ExitCode = reply.ExitCode != 0 ? reply.ExitCode : 128 };
        }
    }

    private static ControlReply? TryCall(RuntimeOptions options, ContainerRecord record, ControlRequest request, int timeoutMs)
    {
        if (!ControlClient.Connect(SocketOf(options, record)).TryGet(out ControlClient? client, out _))
        {
            return null;
        }

        using (client)
        {
            return client.Call(request with { Container = record.Id }, timeoutMs, []).TryGet(out ControlReply? reply, out _) ? reply : null;
        }
    }

    private static RuntimeException NotThere(Errno errno) =>
        new(errno is Errno.ENOENT or Errno.ECONNREFUSED or Errno.ECONNRESET ? "container not running"
            : errno == Errno.ETIMEDOUT ? "the sandbox does not answer" : $"control socket: {errno}");
}
