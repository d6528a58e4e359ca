using System.Runtime.InteropServices;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Sockets;

namespace Moat.Syscalls.Sockets;

/// <summary>getsockopt(2), setsockopt(2) at the level SOL_SOCKET (socket(7)).</summary>
internal static class SocketOptionCalls
{
    private const int SolSocket = 1;
    private const int ReuseAddress = 2;
    private const int TypeOption = 3;
    private const int ErrorOption = 4;
    private const int Broadcast = 6;
    private const int SendBuffer = 7;
    private const int ReceiveBuffer = 8;
    private const int KeepAlive = 9;
    private const int Priority = 12;
    private const int Linger = 13;
    private const int ReusePort = 15;
    private const int PassCredentials = 16;
    private const int PeerCredentialsOption = 17;
    private const int ReceiveTimeout = 20;
    private const int SendTimeout = 21;
    private const int AcceptsConnections = 30;
    private const int SendBufferForce = 32;
    private const int ReceiveBufferForce = 33;
    private const int ProtocolOption = 38;
    private const int DomainOption = 39;
    private const int PeerGroups = 59;
    private const int Timestamp = 29;
    private const int TimestampNs = 35;
    private const int PeerName = 28;
    private const int Cookie = 57;
    private const int MaxValue = 512; // of options that are no list

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.getsockopt, Get, Arg.Fd, Arg.Int, Arg.Int, Arg.Pointer, Arg.Pointer);
        table.Add(SyscallNumber.setsockopt, Set, Arg.Fd, Arg.Int, Arg.Int, Arg.Pointer, Arg.Int);
    }

    private static SyscallResult Get(GuestTask task, in SyscallArguments arguments)
    {
        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out Errno errno))
        {
            return errno;
        }

        try
        {
            errno = task.Memory.Read(arguments.Address(4), out int room);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (arguments.Int(1) != SolSocket)
            {
                return GetOfFamily(task, socket, arguments, room);
            }

            if (room < 0)
            {
                return Errno.EINVAL;
            }

            SocketOptions options = socket.Options;
            switch (arguments.Int(2))
            {
                case Linger:
                    ReadOnlySpan<int> linger = [options.Linger.On, options.Linger.Seconds];
                    return Put(task, arguments, room, MemoryMarshal.AsBytes(linger));
                case ReceiveTimeout or SendTimeout:
                    long timeoutNs = arguments.Int(2) == ReceiveTimeout ? options.ReceiveTimeoutNs : options.SendTimeoutNs;
                    ReadOnlySpan<long> timeout = [timeoutNs / Timespec.NanosecondsPerSecond, timeoutNs % Timespec.NanosecondsPerSecond / 1000];
                    return Put(task, arguments, room, MemoryMarshal.AsBytes(timeout));
                case PeerCredentialsOption:
                    Ucred peer = socket.PeerCredentials.For(task.Pids);
                    return Put(task, arguments, room, MemoryMarshal.AsBytes(new ReadOnlySpan<Ucred>(in peer)));
                case PeerGroups:
                    return PutGroups(task, arguments, room, socket.PeerGroups);
                case PeerName:
                    // Unlike getpeername(2) it refuses room for more than there is.
                    return !socket.PeerAddress.TryGet(out byte[]? name, out _) ? Errno.ENOTCONN : name.Length < room ? Errno.EINVAL : Put(task, arguments, room, name);
                case Cookie:
                    ulong cookie = socket.Cookie;
                    return room < sizeof(ulong) ? Errno.EINVAL : Put(task, arguments, room, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in cookie)));
                case SocketFilterOptions.Attach:
                    return SocketFilterOptions.Get(task, socket, arguments.Address(3), arguments.Address(4), room);
                case SocketFilterOptions.Lock when socket.TakesFilters:
                    int locks = options.LocksFilter ? 1 : 0;
                    return Put(task, arguments, room, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in locks)));
                case SocketDeviceOptions.BindToDevice:
                    return SocketDeviceOptions.GetName(task, socket, arguments.Address(3), arguments.Address(4), room);
            }

            int? value = arguments.Int(2) switch
            {
                ReuseAddress => options.ReuseAddress ? 1 : 0,
                ReusePort => options.ReusePort ? 1 : 0,
                TypeOption => (int)socket.Type,
                ErrorOption => (int)socket.TakeError(),
                Broadcast => options.Broadcast ? 1 : 0,
                SendBuffer => socket.Buffers.Send,
                ReceiveBuffer => socket.Buffers.Receive,
                KeepAlive => options.KeepAlive ? 1 : 0,
                Priority => options.Priority,
                PassCredentials => options.PassCredentials ? 1 : 0,
                Timestamp => options.Timestamps == SocketTimestamps.Microseconds ? 1 : 0,
                TimestampNs => options.Timestamps == SocketTimestamps.Nanoseconds ? 1 : 0,
                AcceptsConnections => socket.IsListening ? 1 : 0,
                ProtocolOption => socket.Protocol,
                DomainOption => (int)socket.Domain,
                SocketDeviceOptions.BindToIndex => options.BoundInterface,
                SocketDeviceOptions.Mark => (int)options.Mark,
                _ => SocketFlagOptions.Get(options, arguments.Int(2)),
            };
            return value is { } known ? Put(task, arguments, room, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in known))) : Errno.ENOPROTOOPT;
        }
        finally
        {
            socket.Release();
        }
    }

    private static SyscallResult Set(GuestTask task, in SyscallArguments arguments)
    {
        if (!SocketWait.Get(task, arguments.Int(0)).TryGet(out Socket? socket, out Errno errno))
        {
            return errno;
        }

        try
        {
            int length = arguments.Int(4);
            if (length < 0)
            {
                return Errno.EINVAL;
            }

            if (arguments.Int(1) != SolSocket)
            {
                return SetOfFamily(task, socket, arguments, length);
            }

            if (arguments.Int(2) == SocketDeviceOptions.BindToDevice)
            {
                return SocketDeviceOptions.SetName(task, socket, arguments.Address(3), length);
            }

            if (length < sizeof(int))
            {
                return Errno.EINVAL;
            }

            errno = task.Memory.Read(arguments.Address(3), out int value);
            if (errno == Errno.None && arguments.Int(2) == ReusePort && value != 0 && socket.Domain is not (AddressFamily.AF_INET or AddressFamily.AF_INET6))
            {
                return Errno.EOPNOTSUPP;
            }

            errno = errno != Errno.None ? errno : arguments.Int(2) switch
            {
                SocketDeviceOptions.BindToIndex or SocketDeviceOptions.Mark => SocketDeviceOptions.Set(task, socket, arguments.Int(2), value),
                SocketFilterOptions.Attach or SocketFilterOptions.Detach or SocketFilterOptions.Lock => SocketFilterOptions.Set(task, socket, arguments.Int(2), value, arguments.Address(3), length),
                _ => Apply(task, socket.Options, arguments.Int(2), value, arguments.Address(3), length),
            };
            if (errno == Errno.None)
            {
                socket.OnOptionsChanged();
            }

            return errno;
        }
        finally
        {
            socket.Release();
        }
    }

    private static SyscallResult GetOfFamily(GuestTask task, Socket socket, in SyscallArguments arguments, int room)
    {
        if (room < 0)
        {
            return Errno.EINVAL;
        }

        int limit = socket.LargeOptionLimit(arguments.Int(1), arguments.Int(2));
        if (limit > 0)
        {
            return GetLarge(task, socket, arguments, room, limit);
        }

        Span<byte> value = stackalloc byte[Math.Min(room, MaxValue)];
        value.Clear();
        if (socket.Domain == AddressFamily.AF_PACKET)
        {
            Errno unread = task.Memory.CopyIn(arguments.Address(3), value); // PACKET_HDRLEN asks by its value
            if (unread != Errno.None)
            {
                return unread;
            }
        }

        return socket.GetOption(task, arguments.Int(1), arguments.Int(2), value).TryGet(out int length, out Errno errno) ? Put(task, arguments, room, value[..length]) : errno;
    }

    private static SyscallResult SetOfFamily(GuestTask task, Socket socket, in SyscallArguments arguments, int length)
    {
        int limit = socket.LargeOptionLimit(arguments.Int(1), arguments.Int(2));
        Span<byte> value = limit > MaxValue ? new byte[Math.Min(length, limit)] : stackalloc byte[Math.Min(length, MaxValue)];
        Errno errno = task.Memory.CopyIn(arguments.Address(3), value);
        return errno == Errno.None ? socket.SetOption(task, arguments.Int(1), arguments.Int(2), value) : errno;
    }

    private static SyscallResult GetLarge(GuestTask task, Socket socket, in SyscallArguments arguments, int room, int limit)
    {
        byte[] value = new byte[Math.Min(room, limit)];
        Errno errno = task.Memory.CopyIn(arguments.Address(3), value);
        if (errno != Errno.None)
        {
            return errno;
        }

        return socket.GetOption(task, arguments.Int(1), arguments.Int(2), value).TryGet(out int length, out errno) ? Put(task, arguments, room, value.AsSpan(0, length)) : errno;
    }

    private static Errno Apply(GuestTask task, SocketOptions options, int option, int value, GuestAddress address, int length)
    {
        switch (option)
        {
            case ReuseAddress:
                options.ReuseAddress = value != 0;
                return Errno.None;
            case ReusePort:
                options.ReusePort = value != 0;
                return Errno.None;
            case Broadcast:
                options.Broadcast = value != 0;
                return Errno.None;
            case KeepAlive:
                options.KeepAlive = value != 0;
                return Errno.None;
            case PassCredentials:
                options.PassCredentials = value != 0;
                return Errno.None;
            case Timestamp or TimestampNs:
                options.Timestamps = value == 0 ? SocketTimestamps.None : option == Timestamp ? SocketTimestamps.Microseconds : SocketTimestamps.Nanoseconds;
                return Errno.None;
            case Priority:
                if (value is (< 0 or > 6) && !task.Credentials.HasCapability(Capability.CAP_NET_ADMIN))
                {
                    return Errno.EPERM;
                }

                options.Priority = value;
                return Errno.None;
            case SendBuffer or SendBufferForce:
                if (option == SendBufferForce && !task.Credentials.HasCapability(Capability.CAP_NET_ADMIN))
                {
                    return Errno.EPERM;
                }

                options.SetSendBuffer(value, option == SendBufferForce);
                return Errno.None;
            case ReceiveBuffer or ReceiveBufferForce:
                if (option == ReceiveBufferForce && !task.Credentials.HasCapability(Capability.CAP_NET_ADMIN))
                {
                    return Errno.EPERM;
                }

                options.SetReceiveBuffer(value, option == ReceiveBufferForce);
                return Errno.None;
            case Linger:
                return SetLinger(task, options, address, length);
            case ReceiveTimeout or SendTimeout:
                return SetTimeout(task, options, option == ReceiveTimeout, address, length);
            case TypeOption or ErrorOption or ProtocolOption or DomainOption or AcceptsConnections:
                return Errno.ENOPROTOOPT;
            default:
                return SocketFlagOptions.Set(task, options, option, value);
        }
    }

    private static Errno SetLinger(GuestTask task, SocketOptions options, GuestAddress address, int length)
    {
        Span<int> linger = stackalloc int[2];
        if (length < MemoryMarshal.AsBytes(linger).Length)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.CopyIn(address, MemoryMarshal.AsBytes(linger));
        if (errno == Errno.None)
        {
            options.Linger = (linger[0] != 0 ? 1 : 0, linger[1]);
        }

        return errno;
    }

    private static Errno SetTimeout(GuestTask task, SocketOptions options, bool receives, GuestAddress address, int length)
    {
        const long MicrosecondsPerSecond = 1_000_000;
        Span<long> timeval = stackalloc long[2];
        if (length < MemoryMarshal.AsBytes(timeval).Length)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.CopyIn(address, MemoryMarshal.AsBytes(timeval));
        if (errno != Errno.None)
        {
            return errno;
        }

        if (timeval[1] is < 0 or >= MicrosecondsPerSecond)
        {
            return Errno.EDOM;
        }

        // A negative time is no time at all: it does not wait.
        long timeoutNs = timeval[0] < 0 ? 1 : new Timespec(timeval[0], timeval[1] * 1000).ToNanoseconds();
        if (receives)
        {
            options.ReceiveTimeoutNs = timeoutNs;
        }
        else
        {
            options.SendTimeoutNs = timeoutNs;
        }

        return Errno.None;
    }

    private static SyscallResult PutGroups(GuestTask task, in SyscallArguments arguments, int room, IReadOnlyList<uint>? groups)
    {
        if (groups is null)
        {
            return Errno.ENODATA;
        }

        uint[] numbers = [.. groups];
        int length = numbers.Length * sizeof(uint);
        Errno errno = room < length ? Errno.ERANGE : task.Memory.CopyOut(arguments.Address(3), MemoryMarshal.AsBytes(numbers.AsSpan()));
        Errno told = errno is Errno.None or Errno.ERANGE ? task.Memory.Write(arguments.Address(4), length) : Errno.None;
        return told != Errno.None ? told : errno;
    }

    private static SyscallResult Put(GuestTask task, in SyscallArguments arguments, int room, ReadOnlySpan<byte> value)
    {
        int length = Math.Min(room, value.Length);
        Errno errno = task.Memory.CopyOut(arguments.Address(3), value[..length]);
        return errno != Errno.None ? errno : task.Memory.Write(arguments.Address(4), length);
    }
}
