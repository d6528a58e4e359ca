using Moat.Control;
using Moat.Host;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Gofer;

/// <summary>The Gofer's process: serves each export on its connection until the Sentry has gone.</summary>
public static class GoferProcess
{
    private const int Failure = 128;
    private const int RestMs = 1000;

    /// <summary>Reads the configuration it inherits, shuts itself in, reports, and serves.</summary>
    /// <returns>The exit code.</returns>
    public static int Run()
    {
        if (!ConfigFile.Read(GoferConfig.Descriptor, ControlJson.Default.GoferConfig).TryGet(out GoferConfig? config, out Errno errno))
        {
            Console.Error.WriteLine($"runsc: gofer: no configuration: {errno}");
            return Failure;
        }

        HostMemory.Close(GoferConfig.Descriptor);
        List<Thread> threads = [];
        foreach (GoferExport export in config.Exports)
        {
            if (!HostTree.Open(export.Source, config.DescriptorsFd, export.IsReadOnly).TryGet(out HostNinePFile? root, out errno))
            {
                return Fail(config, $"{export.Name}: {errno}");
            }

            threads.Add(new Thread(() => new NinePServer(new UnixTransport(export.ConnectionFd), root).Run(), 256 << 10));
        }

        // New files get exactly the mode that the Sentry asks for.
        HostCall.Invoke(SyscallNumber.umask, 0);
        threads.ForEach(static thread => thread.Start());
        errno = GoferFilter.Create(config.DescriptorsFd).Install();
        if (errno != Errno.None)
        {
            return Fail(config, $"seccomp: {errno}");
        }

        Report(config, null);
        if (!threads[0].Join(RestMs))
        {
            StartupMemory.Release();
        }

        threads.ForEach(static thread => thread.Join());
        return 0;
    }

    private static int Fail(GoferConfig config, string error)
    {
        Report(config, $"gofer: {error}");
        return Failure;
    }

    private static void Report(GoferConfig config, string? error)
    {
        ConfigFile.Write(config.ReadyFd, new BootReport { Error = error }, ControlJson.Default.BootReport);
        HostMemory.Close(config.ReadyFd);
    }
}
