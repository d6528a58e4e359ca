using Moat.Host;
using Moat.Linux;
using Moat.Oci;

namespace Moat.Runtime.Launch;

/// <summary>What network a container is to have, and whether it has one.</summary>
internal static class NetworkCheck
{
    /// <summary>Checks what the configuration says.</summary>
    /// <exception cref="RuntimeException">The container would share the host's network.</exception>
    public static void Require(OciSpec spec, string flag)
    {
        OciNamespace? network = spec.Linux?.FindNamespace("network");
        if (flag == "sandbox" && (network is null || IsOwn(network.Path)))
        {
            throw new RuntimeException("config.json: linux.namespaces: network: the host's own network cannot be taken over: use --network=host or --network=none");
        }
    }

    /// <summary>An interface besides loopback with addresses or routes in a sandbox's namespace, or null: interfaces alone mean nothing, as some kernels put tunnels into every namespace.</summary>
    /// <param name="pid">The Sentry.</param>
    public static string? FindInterface(int pid) =>
        FindInterface($"/proc/{pid}/net/route", 1, 0) ?? FindInterface($"/proc/{pid}/net/if_inet6", 0, ^1); // the first has a heading

    /// <summary>Whether a namespace file is that of this process's network.</summary>
    public static bool IsOwn(string path) => Identify(path) is { } given && given == Identify("/proc/self/ns/net");

    /// <summary>What tells namespaces apart; null for a path that leads to none.</summary>
    public static (ulong Device, ulong Inode)? Identify(string path)
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
