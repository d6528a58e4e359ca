using System.Globalization;
using System.Text;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Strace;

/// <summary>Writes one argument the way strace(1) does. It reads guest memory for the log only: what it read decides nothing.</summary>
internal sealed class ArgumentFormatter(int maxStringLength)
{
    private const int MaxVector = 32;

    /// <summary>Whether the argument is only known when the call has returned.</summary>
    public static bool IsOutput(Arg kind) => kind is Arg.BufferOut or Arg.IoVecOut or Arg.TimespecOut or Arg.TimevalOut or Arg.StatOut or Arg.EpollEventsOut or Arg.SocketAddressOut
        or Arg.WaitStatusOut or Arg.FdPairOut or Arg.RlimitOut or Arg.NamesOut;

    /// <summary>Appends argument <paramref name="index"/>.</summary>
    /// <param name="result">The call's result for outputs; how much a BufferOut holds.</param>
    public void Append(StringBuilder text, GuestTask task, Arg kind, in SyscallArguments arguments, int index, SyscallResult result)
    {
        ulong value = arguments[index];
        GuestAddress address = new(value);
        switch (kind)
        {
            case Arg.Int or Arg.Fd or Arg.Pid:
                text.Append(unchecked((int)value));
                break;
            case Arg.UInt or Arg.Uid:
                text.Append(unchecked((uint)value));
                break;
            case Arg.Long or Arg.Offset:
                text.Append(unchecked((long)value));
                break;
            case Arg.Size:
                text.Append(value);
                break;
            case Arg.Hex:
                text.Append(value == 0 ? "0" : $"0x{value:x}");
                break;
            case Arg.Octal or Arg.Mode:
                text.Append('0').Append(Convert.ToString(unchecked((uint)value), 8));
                break;
            case Arg.DirFd:
                text.Append(unchecked((int)value) == -100 ? "AT_FDCWD" : unchecked((int)value).ToString(CultureInfo.InvariantCulture));
                break;
            case Arg.Path or Arg.String:
                AppendString(text, task, address);
                break;
            case Arg.StringVector:
                AppendVector(text, task, address);
                break;
            case Arg.BufferIn:
                AppendBytes(text, task, address, arguments[index + 1]);
                break;
            case Arg.BufferOut when !result.IsError:
                AppendBytes(text, task, address, (ulong)result.Raw);
                break;
            case Arg.OpenFlags:
                AppendOpenFlags(text, value);
                break;
            case Arg.Whence:
                AppendName(text, ConstantNames.Of(ConstantNames.Whence, value), value);
                break;
            case Arg.Signal:
                AppendSignal(text, value);
                break;
            case Arg.SignalSet:
                AppendSignalSet(text, task, address);
                break;
            case Arg.SignalAction:
                AppendSignalAction(text, task, address);
                break;
            case Arg.MemoryProtection:
                FlagNames.Protection.Append(text, value);
                break;
            case Arg.MapFlags:
                FlagNames.Map.Append(text, value);
                break;
            case Arg.CloneFlags:
                FlagNames.Clone.Append(text, value & ~0xffUL);
                text.Append((value & 0xff) == 0 ? "" : "|");
                AppendSignalIfAny(text, value & 0xff);
                break;
            case Arg.Timespec or Arg.Timeval:
                AppendPair(text, task, address, kind == Arg.Timespec ? "tv_nsec" : "tv_usec");
                break;
            case Arg.TimespecOut or Arg.TimevalOut when !result.IsError:
                AppendPair(text, task, address, kind == Arg.TimespecOut ? "tv_nsec" : "tv_usec");
                break;
            case Arg.FdPairOut when !result.IsError:
                AppendInts(text, task, address, 2);
                break;
            case Arg.WaitStatusOut when !result.IsError && result.Raw > 0 && StructText.AppendWaitStatus(text, task, address):
            case Arg.StatOut when !result.IsError && StructText.AppendStat(text, task, address):
            case Arg.RlimitOut when !result.IsError && StructText.AppendLimit(text, task, address):
            case Arg.RlimitIn when StructText.AppendLimit(text, task, address):
            case Arg.NamesOut when !result.IsError && StructText.AppendNames(text, task, address):
                break;
            case Arg.AccessMode:
                FlagNames.Access.Append(text, value);
                break;
            case Arg.AtFlags:
                FlagNames.At.Append(text, value & uint.MaxValue);
                break;
            case Arg.WaitOptions:
                FlagNames.Wait.Append(text, value & uint.MaxValue);
                break;
            case Arg.ArchOption:
                AppendName(text, ConstantNames.ArchPrctl(value), value);
                break;
            case Arg.HowMask:
                AppendName(text, ConstantNames.Of(ConstantNames.SignalHow, value), value);
                break;
            case Arg.PollFds:
                AppendPollFds(text, task, address, arguments[index + 1]);
                break;
            case Arg.EpollEvent:
                AppendEpollEvent(text, task, address);
                break;
            case Arg.FutexOp:
                AppendName(text, ConstantNames.Of(ConstantNames.Futex, value & 0x7f), value & 0x7f);
                text.Append((value & 0x80) != 0 ? "|FUTEX_PRIVATE_FLAG" : "").Append((value & 0x100) != 0 ? "|FUTEX_CLOCK_REALTIME" : "");
                break;
            case Arg.Rlimit:
                AppendName(text, ConstantNames.Of(ConstantNames.Rlimit, value), value);
                break;
            case Arg.Clock:
                AppendName(text, ConstantNames.Of(ConstantNames.Clock, value), value);
                break;
            case Arg.IoctlRequest:
                AppendName(text, ConstantNames.Ioctl(value), value);
                break;
            case Arg.FcntlCommand:
                AppendName(text, ConstantNames.Fcntl(value), value);
                break;
            case Arg.PrctlOption:
                AppendName(text, ConstantNames.Prctl(value), value);
                break;
            default:
                AppendPointer(text, address);
                break;
        }
    }

    private static void AppendName(StringBuilder text, string? name, ulong value)
    {
        if (name is null)
        {
            text.AppendFormat(CultureInfo.InvariantCulture, "0x{0:x}", value);
            return;
        }

        text.Append(name);
    }

    private static void AppendPointer(StringBuilder text, GuestAddress address) => text.Append(address.IsNull ? "NULL" : address.ToString());

    private static void AppendOpenFlags(StringBuilder text, ulong value)
    {
        text.Append((value & 3) switch { 0 => "O_RDONLY", 1 => "O_WRONLY", 2 => "O_RDWR", _ => "O_ACCMODE" });
        if ((value & ~3UL) != 0)
        {
            text.Append('|');
            FlagNames.Open.Append(text, (uint)value & ~3U);
        }
    }

    private static void AppendSignal(StringBuilder text, ulong value)
    {
        int number = unchecked((int)value);
        text.Append(number is >= 1 and <= 31 ? ((Signal)number).ToString() : number is >= 32 and <= 64 ? $"SIGRT_{number - 32}" : number.ToString(CultureInfo.InvariantCulture));
    }

    private static void AppendSignalIfAny(StringBuilder text, ulong value)
    {
        if (value != 0)
        {
            AppendSignal(text, value);
        }
    }

    private static void AppendSignalSet(StringBuilder text, GuestTask task, GuestAddress address)
    {
        if (address.IsNull || task.Memory.Read(address, out ulong bits) != Errno.None)
        {
            AppendPointer(text, address);
            return;
        }

        text.Append('[');
        string separator = "";
        for (int signal = 1; signal <= 64; signal++)
        {
            if ((bits & (1UL << (signal - 1))) != 0)
            {
                text.Append(separator);
                AppendSignal(text, (ulong)signal);
                separator = " ";
            }
        }

        text.Append(']');
    }

    private static void AppendSignalAction(StringBuilder text, GuestTask task, GuestAddress address)
    {
        if (address.IsNull || task.Memory.Read(address, out ulong handler) != Errno.None || task.Memory.Read(address + 8, out ulong flags) != Errno.None)
        {
            AppendPointer(text, address);
            return;
        }

        text.Append("{sa_handler=").Append(handler switch { 0 => "SIG_DFL", 1 => "SIG_IGN", _ => $"0x{handler:x}" }).Append(", sa_flags=");
        FlagNames.SignalAction.Append(text, flags);
        text.Append('}');
    }

    private static void AppendPair(StringBuilder text, GuestTask task, GuestAddress address, string second)
    {
        if (address.IsNull || task.Memory.Read(address, out Timespec pair) != Errno.None)
        {
            AppendPointer(text, address);
            return;
        }

        text.Append("{tv_sec=").Append(pair.Seconds).Append(", ").Append(second).Append('=').Append(pair.Nanoseconds).Append('}');
    }

    private static void AppendInts(StringBuilder text, GuestTask task, GuestAddress address, int count)
    {
        text.Append('[');
        for (int i = 0; i < count; i++)
        {
            text.Append(i == 0 ? "" : ", ").Append(task.Memory.Read(address + (ulong)(4 * i), out int value) == Errno.None ? value.ToString(CultureInfo.InvariantCulture) : "?");
        }

        text.Append(']');
    }

    private static void AppendPollFds(StringBuilder text, GuestTask task, GuestAddress address, ulong count)
    {
        text.Append('[');
        for (ulong i = 0; i < Math.Min(count, MaxVector); i++)
        {
            if (task.Memory.Read(address + (8 * i), out ulong raw) != Errno.None)
            {
                break;
            }

            text.Append(i == 0 ? "" : ", ").Append("{fd=").Append(unchecked((int)raw)).Append(", events=");
            FlagNames.Poll.Append(text, (ushort)(raw >> 32));
            text.Append('}');
        }

        text.Append(count > MaxVector ? ", ...]" : "]");
    }

    private static void AppendEpollEvent(StringBuilder text, GuestTask task, GuestAddress address)
    {
        if (address.IsNull || task.Memory.Read(address, out uint events) != Errno.None || task.Memory.Read(address + 4, out ulong data) != Errno.None)
        {
            AppendPointer(text, address);
            return;
        }

        text.Append("{events=");
        FlagNames.Epoll.Append(text, events);
        text.AppendFormat(CultureInfo.InvariantCulture, ", data=0x{0:x}}}", data);
    }

    private void AppendVector(StringBuilder text, GuestTask task, GuestAddress address)
    {
        if (address.IsNull)
        {
            text.Append("NULL");
            return;
        }

        text.Append('[');
        for (ulong i = 0; i < MaxVector; i++)
        {
            if (task.Memory.Read(address + (8 * i), out ulong element) != Errno.None || element == 0)
            {
                text.Append(']');
                return;
            }

            text.Append(i == 0 ? "" : ", ");
            AppendString(text, task, new GuestAddress(element));
        }

        text.Append(", ...]");
    }

    private void AppendString(StringBuilder text, GuestTask task, GuestAddress address)
    {
        Span<byte> buffer = stackalloc byte[Math.Min(maxStringLength + 1, 1024)];
        int count = address.IsNull ? 0 : task.Memory.CopyInPartial(address, buffer);
        if (count == 0)
        {
            AppendPointer(text, address);
            return;
        }

        int end = buffer[..count].IndexOf((byte)0);
        AppendQuoted(text, buffer[..(end >= 0 ? end : count)]);
        text.Append(end >= 0 ? "" : "...");
    }

    private void AppendBytes(StringBuilder text, GuestTask task, GuestAddress address, ulong length)
    {
        Span<byte> buffer = stackalloc byte[Math.Min(maxStringLength, 1024)];
        int wanted = (int)Math.Min(length, (ulong)buffer.Length);
        int count = task.Memory.CopyInPartial(address, buffer[..wanted]);
        if (count < wanted)
        {
            AppendPointer(text, address);
            return;
        }

        AppendQuoted(text, buffer[..count]);
        text.Append((ulong)count < length ? "..." : "");
    }

    private static void AppendQuoted(StringBuilder text, ReadOnlySpan<byte> bytes)
    {
        text.Append('"');
        foreach (byte b in bytes)
        {
            _ = b switch
            {
                (byte)'\n' => text.Append("\\n"),
                (byte)'\t' => text.Append("\\t"),
                (byte)'\r' => text.Append("\\r"),
                (byte)'"' => text.Append("\\\""),
                (byte)'\\' => text.Append("\\\\"),
                >= 0x20 and < 0x7f => text.Append((char)b),
                _ => text.Append('\\').Append(Convert.ToString(b, 8)),
            };
        }

        text.Append('"');
    }
}
