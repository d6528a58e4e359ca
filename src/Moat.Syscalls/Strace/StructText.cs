using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Strace;

/// <summary>Writes structures that a call has filled or been given the way strace(1) does. Each returns false, having written nothing, if guest memory cannot be read.</summary>
internal static class StructText
{
    private const int StatMode = 24; // offsets of struct stat, asm/stat.h
    private const int StatDevice = 40;
    private const int StatSize = 48;
    private const int UtsFieldBytes = 65;

    /// <summary>struct stat.</summary>
    public static bool AppendStat(StringBuilder text, GuestTask task, GuestAddress address)
    {
        Span<byte> raw = stackalloc byte[StatSize + sizeof(long)];
        if (address.IsNull || task.Memory.CopyIn(address, raw) != Errno.None)
        {
            return false;
        }

        uint mode = MemoryMarshal.Read<uint>(raw[StatMode..]);
        ulong device = MemoryMarshal.Read<ulong>(raw[StatDevice..]);
        string type = (mode & 0xf000) switch
        {
            0x1000 => "S_IFIFO", 0x2000 => "S_IFCHR", 0x4000 => "S_IFDIR", 0x6000 => "S_IFBLK", 0x8000 => "S_IFREG", 0xa000 => "S_IFLNK", 0xc000 => "S_IFSOCK", _ => "0",
        };
        text.Append("{st_mode=").Append(type).Append("|0").Append(Convert.ToString(mode & 0xfff, 8));
        if ((mode & 0xf000) is 0x2000 or 0x6000)
        {
            DeviceNumber number = new(device);
            text.AppendFormat(CultureInfo.InvariantCulture, ", st_rdev=makedev(0x{0:x}, 0x{1:x}), ...}}", number.Major, number.Minor);
            return true;
        }

        text.Append(", st_size=").Append(MemoryMarshal.Read<long>(raw[StatSize..])).Append(", ...}");
        return true;
    }

    /// <summary>struct rlimit.</summary>
    public static bool AppendLimit(StringBuilder text, GuestTask task, GuestAddress address)
    {
        if (address.IsNull || task.Memory.Read(address, out ulong current) != Errno.None || task.Memory.Read(address + sizeof(ulong), out ulong maximum) != Errno.None)
        {
            return false;
        }

        text.Append("{rlim_cur=").Append(Limit(current)).Append(", rlim_max=").Append(Limit(maximum)).Append('}');
        return true;
    }

    /// <summary>The status of wait4(2).</summary>
    public static bool AppendWaitStatus(StringBuilder text, GuestTask task, GuestAddress address)
    {
        if (address.IsNull || task.Memory.Read(address, out int status) != Errno.None)
        {
            return false;
        }

        int signal = status & 0x7f;
        text.Append((status & 0xff) == 0x7f ? $"[{{WIFSTOPPED(s) && WSTOPSIG(s) == {(Signal)((status >> 8) & 0xff)}}}]"
            : status == 0xffff ? "[{WIFCONTINUED(s)}]"
            : signal == 0 ? $"[{{WIFEXITED(s) && WEXITSTATUS(s) == {(status >> 8) & 0xff}}}]"
            : $"[{{WIFSIGNALED(s) && WTERMSIG(s) == {(Signal)signal}{((status & 0x80) != 0 ? " && WCOREDUMP(s)" : "")}}}]");
        return true;
    }

    /// <summary>struct utsname.</summary>
    public static bool AppendNames(StringBuilder text, GuestTask task, GuestAddress address)
    {
        Span<byte> raw = stackalloc byte[2 * UtsFieldBytes];
        if (address.IsNull || task.Memory.CopyIn(address, raw) != Errno.None)
        {
            return false;
        }

        text.Append("{sysname=\"").Append(Name(raw[..UtsFieldBytes])).Append("\", nodename=\"").Append(Name(raw[UtsFieldBytes..])).Append("\", ...}");
        return true;
    }

    private static string Name(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? field : field[..end]);
    }

    private static string Limit(ulong value) => value == ulong.MaxValue ? "RLIM64_INFINITY"
        : value > 0 && value % 1024 == 0 ? string.Create(CultureInfo.InvariantCulture, $"{value / 1024}*1024") : value.ToString(CultureInfo.InvariantCulture);
}
