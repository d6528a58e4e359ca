using System.Globalization;
using System.Text;
using Moat.Control;
using Moat.Host;
using Moat.Linux;

namespace Moat.Sentry;

/// <summary>The Sentry's process, from the configuration that it inherits to the exit code of the container.</summary>
public static class SentryProcess
{
    private const int Failure = 128;

    /// <summary>Boots the sandbox, reports, and serves the control socket until the first process has ended.</summary>
    /// <returns>The container's exit code.</returns>
    public static int Run()
    {
        if (!ConfigFile.Read(BootConfig.Descriptor, ControlJson.Default.BootConfig).TryGet(out BootConfig? config, out Errno errno))
        {
            Console.Error.WriteLine($"runsc: boot: no configuration: {errno}");
            return Failure;
        }

        HostMemory.Close(BootConfig.Descriptor);
        DebugLog log = new(config.DebugLogFd, config.Flags.Debug || config.Flags.Strace);
        Sandbox sandbox;
        try
        {
            sandbox = new Sandbox(new SandboxOptions
            {
                Spec = config.Spec,
                Flags = config.Flags,
                Facts = config.Facts,
                Mounts = config.Mounts,
                Descriptors = [.. config.StdioFds, .. config.PreservedFds],
                Log = log,
            });
            ControlServer server = new(config.ControlFd, new SandboxControl(sandbox, log), message => log.Warning(message));
            errno = server.Start();
            if (errno != Errno.None)
            {
                throw new InvalidOperationException($"control socket: {errno}");
            }

            GoferWatch.Start(config.Mounts[0].GoferFd, () =>
            {
                log.Error("the gofer has gone: the sandbox ends");
                sandbox.End(Failure);
            });
            RuntimeWarmup.Run();
            errno = SentryFilter.Create(config.ControlFd).Install();
            if (errno != Errno.None)
            {
                throw new InvalidOperationException($"seccomp: {errno}");
            }
        }
        catch (InvalidOperationException e)
        {
            log.Error("the sandbox cannot start", e);
            Report(config.ReadyFd, e.Message);
            return Failure;
        }

        Report(config.ReadyFd, null);
        int status = sandbox.Wait();
        if (sandbox.Watch.Bug is { } bug)
        {
            log.Error("the kernel failed and ended the sandbox", bug);
        }

        HostFile.Write(config.ExitStatusFd, Encoding.ASCII.GetBytes(status.ToString(CultureInfo.InvariantCulture)));
        return status;
    }

    private static void Report(int fd, string? error)
    {
        ConfigFile.Write(fd, new BootReport { Error = error }, ControlJson.Default.BootReport);
        HostMemory.Close(fd);
    }
}
