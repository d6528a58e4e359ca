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
    private const int LastAnswersMs = 2_000;

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
        if (!MappedFile.Map(config.ExitStatusFd, BootConfig.ExitStatusBytes).TryGet(out MappedFile? exitStatus, out errno))
        {
            Report(config.ReadyFd, new BootReport { Error = $"exit status file: {errno}" });
            return Failure;
        }

        HostMemory.Close(config.ExitStatusFd);
        DebugLog log = new(config.DebugLogFd, config.Flags.Debug || config.Flags.Strace);
        Sandbox? sandbox = null;
        ControlServer server;
        Thread main = Thread.CurrentThread;
        AppDomain.CurrentDomain.UnhandledException += (_, failure) =>
        {
            log.Error($"bug in the sandbox, thread {Environment.CurrentManagedThreadId}: {failure.ExceptionObject}");
            if (Thread.CurrentThread != main && sandbox is { } running)
            {
                // The main thread ends the process in good order; this one must not come back, or the runtime aborts.
                running.OnBug("bug in the sandbox outside of its system calls; the debug log has the stack");
                Thread.Sleep(Timeout.Infinite);
            }
        };
        try
        {
            sandbox = new Sandbox(new SandboxOptions
            {
                ContainerId = config.ContainerId,
                Spec = config.Spec,
                Flags = config.Flags,
                Facts = config.Facts,
                Mounts = config.Mounts,
                Descriptors = [.. config.StdioFds, .. config.PreservedFds],
                Log = log,
            });
            server = new ControlServer(config.ControlFd, new SandboxControl(sandbox, log), message => log.Warning(message));
            errno = server.Start();
            if (errno != Errno.None)
            {
                throw new InvalidOperationException($"control socket: {errno}");
            }

            TerminalWatch.Start(sandbox.First);
            RuntimeWarmup.Run();
            errno = SentryFilter.Create(config.ControlFd, config.Flags.Network == "host").Install();
            if (errno != Errno.None)
            {
                throw new InvalidOperationException($"seccomp: {errno}");
            }
        }
        catch (InvalidOperationException e)
        {
            log.Error("the sandbox cannot start", e);
            Report(config.ReadyFd, new BootReport { Error = e.Message });
            return Failure;
        }

        Report(config.ReadyFd, new BootReport { Ignored = sandbox.First.IgnoredSettings, Note = sandbox.PlatformNote });
        int status = sandbox.Wait();
        foreach (string line in sandbox.Allocations?.Describe() ?? [])
        {
            log.Debug(line);
        }

        if (sandbox.Bug is { } bug)
        {
            Tell(config.StdioFds[2], bug);
        }

        exitStatus.Write(Encoding.ASCII.GetBytes(status.ToString(CultureInfo.InvariantCulture)));
        if (!server.AwaitAnswers(LastAnswersMs))
        {
            log.Warning("control socket: the sandbox ends without an answer to every call");
        }

        return status;
    }

    // What became of the container, where its user looks. A stream that nobody reads is left alone: the end must not wait for anybody.
    private static void Tell(int stream, string message)
    {
        if ((HostFile.Poll(stream, PollEvents.POLLOUT, 0) & PollEvents.POLLOUT) != 0)
        {
            HostFile.Write(stream, Encoding.UTF8.GetBytes($"runsc: the sandbox has ended: {message}\n"));
        }
    }

    private static void Report(int fd, BootReport report)
    {
        ConfigFile.Write(fd, report, ControlJson.Default.BootReport);
        HostMemory.Close(fd);
    }
}
