using Moat.Host;
using Moat.Linux;
using Moat.Oci;

namespace Moat.Runtime.Launch;

/// <summary>Refuses containers that expect a network other than loopback, for as long as there is no network stack: a program that waits for one that never comes is worse than one line.
/// With <c>--network=none</c> the sandbox has none whatever it was given.</summary>
internal static class NetworkCheck
{
    private const string Advice = "is not supported yet: use --network=none";

    /// <summary>Checks what the configuration says.</summary>
    /// <exception cref="RuntimeException">The container would share the host's network.</exception>
    public static void Require(OciSpec spec, string flag)
    {
        OciNamespace? network = spec.Linux?.FindNamespace("network");
        if (flag != "none" && (network is null || IsOwn(network.Path)))
        {
            throw new RuntimeException($"config.json: linux.namespaces: network: sharing the host's network {Advice}");
        }
    }

    /// <summary>Checks the sandbox's namespace after engines and hooks have furnished it.</summary>
    /// <param name="pid">The Sentry.</param>
    /// <param name="flag">--network.</param>
    /// <exception cref="RuntimeException">It has an interface with addresses or routes besides loopback.</exception>
    public static void RequireEmpty(int pid, string flag)
    {
        if (flag == "none")
        {
            return;
        }

        // Interfaces alone mean nothing: some kernels put tunnels into every namespace. /proc/net/route has the interface first and a heading, if_inet6 has it last.
        string? found = FindInterface($"/proc/{pid}/net/route", 1, 0) ?? FindInterface($"/proc/{pid}/net/if_inet6", 0, ^1);
        if (found is not null)
        {
            throw new RuntimeException($"network interface {found}: a network in the container {Advice}");
        }
    }

    private static bool IsOwn(string path) => Identify(path) is { } given && given == Identify("/proc/self/ns/net");

    private static (ulong Device, ulong Inode)? Identify(string path)
    {
        if (path.Length == 0 || !HostPath.OpenFile(path, OpenFlags.O_RDONLY).TryGet(out int fd, out _))
        {
            return null;
        }

        (ulong, ulong)? identity = HostFile.Stat(fd).TryGet(out HostStat stat, out _) ? (stat.Device, stat.Inode) : null;
        HostMemory.Close(fd);
        return identity;
    }

    private static string? FindInterface(string path, int skippedLines, Index field)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (IOException)
        {
            return null; // a kernel without this protocol
        }

        foreach (string line in lines.Skip(skippedLines))
        {
            string[] fields = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > 0 && fields[field] != "lo")
            {
                return fields[field];
            }
        }

        return null;
    }
}
