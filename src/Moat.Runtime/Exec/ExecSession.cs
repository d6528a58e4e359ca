using Moat.Control;
using Moat.Host.Process;
using Moat.Linux;
using Moat.Oci;
using Moat.Runtime.Launch;
using Moat.Runtime.State;

namespace Moat.Runtime.Exec;

/// <summary>exec: starts a process in a running container. Another process of the host always stands for it: the command itself, or an <see cref="ExecProxy"/>; it forwards
/// signals, ends with the process's status, and takes the process with it when it is killed.</summary>
public static class ExecSession
{
    /// <summary>Carries the command out.</summary>
    /// <returns>The process's exit code; 0 if it was detached.</returns>
    /// <exception cref="RuntimeException">The process cannot be started.</exception>
    public static int Run(RuntimeOptions options, ExecOptions exec)
    {
        if (exec.ConsoleSocket is not null && !exec.Process.Terminal)
        {
            throw new RuntimeException("cannot use a console socket for a process without a terminal");
        }

        if (exec.IsDetached && exec.Process.Terminal && exec.ConsoleSocket is null)
        {
            throw new RuntimeException("cannot allocate a terminal without --console-socket if nobody waits for the process");
        }

        ContainerStatus status = Container.Open(options, exec.Id).Status;
        if (status is not (ContainerStatus.Running or ContainerStatus.Created))
        {
            throw new RuntimeException(status == ContainerStatus.Stopped ? "container not running" : $"cannot exec in a container that is {status.ToString().ToLowerInvariant()}");
        }

        if (!exec.IsDetached && exec.ConsoleSocket is null)
        {
            int[] inherited = [0, 1, 2, .. Enumerable.Range(3, exec.PreservedFds)];
            return Serve(options, exec.Id, exec.Process, inherited, guestPid =>
            {
                WritePid(exec.PidFile, Environment.ProcessId);
                WritePid(exec.InternalPidFile, guestPid);
            });
        }

        int proxy = ExecProxy.Start(options, exec);
        WritePid(exec.PidFile, proxy);
        if (exec.IsDetached)
        {
            return 0;
        }

        return WaitStatus.WaitFor(proxy).TryGet(out WaitStatus ended, out Errno errno) ? ended.HasExited ? ended.ExitCode : 128 + ended.TermSignal
            : throw new RuntimeException($"wait: {errno}");
    }

    /// <summary>Starts a process and stands for it until it has ended.</summary>
    /// <param name="options">Where the container's state is.</param>
    /// <param name="id">The container.</param>
    /// <param name="process">The process.</param>
    /// <param name="descriptors">Its descriptors from 0 on.</param>
    /// <param name="onStarted">Told of its pid in the container.</param>
    internal static int Serve(RuntimeOptions options, string id, OciProcess process, int[] descriptors, Action<int> onStarted)
    {
        Container container = Container.Open(options, id);
        using ControlClient connection = container.Connect();
        using DescriptorSet reopened = new();
        using UserTerminal? terminal = UserTerminal.Find();
        PendingSignals signals = new((pid, signal) => Forward(container, pid, signal));
        using SignalForwarder forwarder = new(signals.Take); // before the process can say anything that somebody answers with a signal
        ControlReply started = Call(connection, new ControlRequest { Method = ControlMethod.Exec, Container = id, Process = process }, OwnDescription.OfTerminals(descriptors, reopened));
        reopened.Dispose(); // the sandbox's alone: their last close is seen on the other side
        signals.Release(started.Pid);
        onStarted(started.Pid);
        return Call(connection, new ControlRequest { Method = ControlMethod.Wait, Container = id, Pid = started.Pid, KillWithCaller = true }).ExitCode;
    }

    private static ControlReply Call(ControlClient connection, ControlRequest request, params ReadOnlySpan<int> descriptors)
    {
        if (!connection.Call(request, descriptors).TryGet(out ControlReply? reply, out Errno errno))
        {
            // The sandbox has ended with everything in it.
            return errno == Errno.ECONNRESET && request.Method == ControlMethod.Wait ? new ControlReply { ExitCode = 128 + (int)Signal.SIGKILL } : throw new RuntimeException("container not running");
        }

        return reply.Error is null ? reply : throw new RuntimeException(reply.Error) { ExitCode = reply.ExitCode != 0 ? reply.ExitCode : 128 };
    }

    private static void Forward(Container container, int pid, Signal signal)
    {
        SignalScope scope = TerminalSignals.Foreground.Contains(signal) ? SignalScope.Foreground : SignalScope.Process;
        try
        {
            container.Ask(new ControlRequest { Method = ControlMethod.Signal, Pid = pid, Signal = (int)signal, Scope = scope });
        }
        catch (RuntimeException)
        {
            // It has just ended.
        }
    }

    private static void WritePid(string? path, int pid)
    {
        if (path is not null)
        {
            PidFile.Write(path, pid);
        }
    }
}
