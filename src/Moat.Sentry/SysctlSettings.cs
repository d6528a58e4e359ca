using System.Text;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Sentry;

/// <summary>Applies <c>linux.sysctl</c> through the container's own /proc/sys.</summary>
internal static class SysctlSettings
{
    private const string NetworkPrefix = "net.";
    private const string DomainName = "kernel.domainname";
    private const int MaxValueBytes = 4096;

    /// <summary>Applies settings.</summary>
    /// <param name="init">A task at the root of the finished tree that may do everything.</param>
    /// <param name="settings">Values by dotted name.</param>
    /// <returns>Names of settings of protocols that the sandbox does not have.</returns>
    /// <exception cref="InvalidOperationException">A setting does not exist or cannot have the value.</exception>
    public static IReadOnlyList<string> Apply(GuestTask init, IReadOnlyDictionary<string, string> settings)
    {
        List<string> ignored = [];
        foreach ((string name, string value) in settings)
        {
            byte[] path = Encoding.UTF8.GetBytes("/proc/sys/" + name.Replace('.', '/'));
            if (name == DomainName)
            {
                init.Uts.DomainName = value;
            }
            else if (!FileOpener.Open(init, init.Fs.Root, path, OpenFlags.O_RDONLY, default).TryGet(out FileDescription? file, out Errno errno))
            {
                if (!name.StartsWith(NetworkPrefix, StringComparison.Ordinal))
                {
                    throw new InvalidOperationException($"config.json: linux.sysctl: {name}: a sandbox does not have it ({errno})");
                }

                ignored.Add($"linux.sysctl[{name}]");
            }
            else
            {
                bool isSet = Words(Read(init, file)) == Words(value);
                file.Release();
                if (!isSet && Write(init, path, value) is var failure and not Errno.None)
                {
                    throw new InvalidOperationException($"config.json: linux.sysctl: {name} cannot be \"{value}\" in a sandbox ({failure})");
                }
            }
        }

        return ignored;
    }

    private static string Read(GuestTask task, FileDescription file)
    {
        byte[] text = new byte[MaxValueBytes];
        IoBuffer buffer = new(text);
        SyscallResult count = file.Read(task, ref buffer, 0);
        return Encoding.UTF8.GetString(text, 0, count.IsError ? 0 : (int)count.Raw);
    }

    private static Errno Write(GuestTask task, byte[] path, string value)
    {
        if (!FileOpener.Open(task, task.Fs.Root, path, OpenFlags.O_WRONLY, default).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        IoBuffer buffer = new(Encoding.UTF8.GetBytes(value));
        long offset = 0;
        SyscallResult written = file.Write(task, ref buffer, ref offset);
        file.Release();
        return written.IsError ? written.Errno : Errno.None;
    }

    // Kernels separate a setting's numbers with tabs, people with spaces.
    private static string Words(string value) => string.Join(' ', value.Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries));
}
