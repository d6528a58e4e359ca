using System.Globalization;
using System.Text;
using Moat.Control;
using Moat.Host;
using Moat.Linux;

namespace Moat.Runtime;

/// <summary>A small process of the host that stands for a container which shares another's sandbox: engines wait for it, signal it and kill it.</summary>
public static class ContainerStandIn
{
    /// <summary>The process's own life: until the container ends, or the sandbox does.</summary>
    /// <returns>The container's exit code.</returns>
    public static int Run(RuntimeOptions options, string id)
    {
        Container container = Container.Open(options, id);
        using SignalForwarder forwarder = new(signal => Forward(container, signal));
        int code;
        try
        {
            code = container.Ask(new ControlRequest { Method = ControlMethod.Wait, KillWithCaller = true }).ExitCode;
        }
        catch (RuntimeException)
        {
            code = 128 + (int)Signal.SIGKILL; // the sandbox has ended, with everything in it
        }

        byte[] text = new byte[BootConfig.ExitStatusBytes];
        Encoding.ASCII.GetBytes(code.ToString(CultureInfo.InvariantCulture), text);
        if (HostPath.OpenFile(container.ExitStatusFile, OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_TRUNC).TryGet(out int fd, out _))
        {
            HostFile.Write(fd, text); // without it "runsc wait" says that there is no status; this process ends with it in any case
            HostMemory.Close(fd);
        }

        return code;
    }

    private static bool Forward(Container container, Signal signal)
    {
        try
        {
            container.Ask(new ControlRequest { Method = ControlMethod.Signal, Signal = (int)signal, Scope = TerminalSignals.Foreground.Contains(signal) ? SignalScope.Foreground : SignalScope.Process });
        }
        catch (RuntimeException)
        {
            // It has just ended.
        }

        return true;
    }
}
