using Moat.Control;
using Moat.Host.Process;
using Moat.Linux;
using Moat.Runtime.Launch;
using Moat.Runtime.State;

namespace Moat.Runtime;

/// <summary>run without --detach, and do: the command stands for the container until it has ended, and removes it.</summary>
public static class ForegroundRun
{
    /// <summary>Makes, starts, awaits and deletes a container.</summary>
    /// <param name="options">Where its state is kept.</param>
    /// <param name="create">What it is.</param>
    /// <param name="warn">Told of faults that do not stop it.</param>
    /// <param name="isJob">Whether the first process is a job of the user's rather than the init of a container: signals end it though it has no handler.</param>
    /// <returns>The exit code, or 128 and a signal's number.</returns>
    /// <exception cref="RuntimeException">It cannot be made or started; then nothing is left.</exception>
    public static int Run(RuntimeOptions options, CreateOptions create, Action<string> warn, bool isJob = false)
    {
        ContainerRecord record = ContainerCreator.Create(options, create with { EndsWithCaller = true }, warn);
        try
        {
            Container container = Container.Open(options, create.Id);
            using UserTerminal? terminal = UserTerminal.Find();
            using SignalForwarder forwarder = new(signal => Forward(container, signal, terminal, isJob));
            foreach (string fault in container.Start())
            {
                warn(fault);
            }

            SandboxStreams.LetGo();
            WaitStatus status = WaitStatus.WaitFor(record.Process.Pid).TryGet(out WaitStatus ended, out Errno errno) ? ended : throw new RuntimeException($"wait: {errno}");
            return status.HasExited ? status.ExitCode : 128 + status.TermSignal;
        }
        finally
        {
            foreach (string fault in Container.Delete(options, create.Id, isForced: true))
            {
                warn(fault);
            }
        }
    }

    private static bool Forward(Container container, Signal signal, UserTerminal? terminal, bool isJob)
    {
        SignalScope scope = TerminalSignals.Foreground.Contains(signal) ? SignalScope.Foreground : SignalScope.Process;
        try
        {
            if (container.Ask(new ControlRequest { Method = ControlMethod.Signal, Signal = (int)signal, Scope = scope, ReachesFirst = isJob }).StopsCaller)
            {
                terminal?.Stop(container.Record.Process);
            }
        }
        catch (RuntimeException)
        {
            // The container has just ended, and so will the wait for it.
        }

        return true;
    }
}
