using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>A datagram that is put together by several calls (MSG_MORE, UDP_CORK; udp(7)). Its lock stands with the offset lock of files in the lock order: guest memory is copied under it.</summary>
internal sealed class InetCork
{
    private const int MaxPayload = 65507;

    private byte[] _bytes = [];
    private int _length;

    /// <summary>Guards it.</summary>
    public Lock Lock { get; } = new();

    /// <summary>UDP_CORK.</summary>
    public bool IsSet { get; set; }

    /// <summary>Whether a part of a datagram waits for the rest. A hint without the lock.</summary>
    public bool IsPending { get; private set; }

    /// <summary>Where to: what the first call said.</summary>
    public IpEndpoint? Destination { get; private set; }

    /// <summary>What the first call's control messages want.</summary>
    public DatagramControl Control { get; private set; }

    /// <summary>Begins a datagram.</summary>
    public void Begin(IpEndpoint? destination, in DatagramControl control) => (IsPending, Destination, Control, _length) = (true, destination, control, 0);

    /// <summary>Adds to it.</summary>
    /// <returns>How many bytes; EMSGSIZE, EFAULT: then the whole datagram is gone, as in Linux.</returns>
    public SyscallResult Add(ref IoBuffer source)
    {
        long length = source.Length;
        if (length > MaxPayload - _length)
        {
            Forget();
            return Errno.EMSGSIZE;
        }

        if (_length + length > _bytes.Length)
        {
            Array.Resize(ref _bytes, (int)Math.Min(MaxPayload, Math.Max(_length + length, 2L * _bytes.Length)));
        }

        if (!source.CopyTo(_bytes.AsSpan(_length, (int)length)).TryGet(out int copied, out Errno errno) || copied < length)
        {
            Forget();
            return errno != Errno.None ? errno : Errno.EFAULT;
        }

        _length += copied;
        return copied;
    }

    /// <summary>How many bytes there are.</summary>
    public int Length => _length;

    /// <summary>The whole, which is not pending any more. Valid under the lock.</summary>
    public ReadOnlySpan<byte> TakeBytes()
    {
        IsPending = false;
        return _bytes.AsSpan(0, _length);
    }

    private void Forget()
    {
        IsPending = false;
        _bytes = [];
    }
}
