using System.Buffers;
using System.Globalization;
using Moat.Host;
using Moat.Linux;
using Moat.Runtime.State;

namespace Moat.Runtime;

/// <summary>Containers that nobody named: each belongs to one <c>do</c> command. One that was killed leaves its directory behind, which the next removes.</summary>
public static class AbandonedRuns
{
    private static readonly SearchValues<char> s_hexadecimal = SearchValues.Create("0123456789abcdef");

    private const string Prefix = "do-";

    /// <summary>An id for this command: its pid, and a number that tells it from an earlier process with the same.</summary>
    public static string NewId()
    {
        Span<byte> random = stackalloc byte[4]; // not by System.Security.Cryptography, which loads a library
        HostFile.FillRandom(random);
        return string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{Convert.ToHexStringLower(random)}");
    }

    /// <summary>Removes what killed commands have left behind: those of which neither the command nor the sandbox runs.</summary>
    public static void Sweep(RuntimeOptions options, Action<string> warn)
    {
        foreach (string id in ContainerDirectory.List(options.Root))
        {
            if (CommandOf(id) is not { } pid || HostCall.Invoke(SyscallNumber.kill, pid, 0).Errno != Errno.ESRCH || ContainerDirectory.IsLocked(options.Root, id))
            {
                continue;
            }

            try
            {
                if (ContainerDirectory.Peek(options.Root, id) is not { } record || record.Status() == ContainerStatus.Stopped)
                {
                    foreach (string fault in Container.Delete(options, id, isForced: true))
                    {
                        warn(fault);
                    }
                }
            }
            catch (RuntimeException fault)
            {
                warn(fault.Message);
            }
        }
    }

    // null for an id that is none of these.
    private static int? CommandOf(string id)
    {
        const int RandomDigits = 8;
        int dash = id.LastIndexOf('-');
        return id.StartsWith(Prefix, StringComparison.Ordinal) && dash > Prefix.Length && id.Length - dash - 1 == RandomDigits && !id.AsSpan(dash + 1).ContainsAnyExcept(s_hexadecimal)
            && int.TryParse(id.AsSpan(Prefix.Length, dash - Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) ? pid : null;
    }
}
