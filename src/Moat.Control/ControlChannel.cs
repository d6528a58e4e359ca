using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Moat.Host;
using Moat.Host.Sockets;
using Moat.Linux;

namespace Moat.Control;

/// <summary>Messages over a stream socket: four bytes with the length (little-endian), then JSON. Descriptors come with the first byte of their message.
/// (A stream, since a list of processes may be larger than what a socket takes in one packet.)</summary>
/// <param name="fd">The connection; the channel owns it.</param>
public sealed class ControlChannel(int fd) : IDisposable
{
    /// <summary>The largest message, in bytes.</summary>
    public const int MaxMessage = 8 << 20;

    /// <summary>How many descriptors come with a message at most.</summary>
    public const int MaxDescriptors = UnixSocket.MaxDescriptors;

    private int _fd = fd;

    /// <summary>The connection.</summary>
    public int Fd => _fd;

    /// <summary>Sends a message.</summary>
    public Errno Send<T>(T message, JsonTypeInfo<T> type, ReadOnlySpan<int> descriptors)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(message, type);
        if (json.Length > MaxMessage)
        {
            return Errno.EMSGSIZE;
        }

        byte[] frame = new byte[4 + json.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, json.Length);
        json.CopyTo(frame, 4);
        return UnixSocket.Send(_fd, frame, descriptors);
    }

    /// <summary>Waits for a message.</summary>
    /// <param name="type">How it is read.</param>
    /// <param name="descriptors">Receives the descriptors, which then belong to the caller, also after an error.</param>
    /// <returns>The message; ECONNRESET if the other side is gone; EBADMSG if it is malformed; EMSGSIZE if it is too large.</returns>
    public Result<T> Receive<T>(JsonTypeInfo<T> type, List<int> descriptors)
        where T : class
    {
        Span<byte> head = stackalloc byte[4];
        Errno errno = Fill(head, descriptors);
        if (errno != Errno.None)
        {
            return errno;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (length is <= 0 or > MaxMessage)
        {
            return length <= 0 ? Errno.EBADMSG : Errno.EMSGSIZE;
        }

        byte[] json = new byte[length];
        errno = Fill(json, descriptors);
        if (errno != Errno.None)
        {
            return errno;
        }

        try
        {
            return JsonSerializer.Deserialize(json, type) is { } message ? message : Errno.EBADMSG;
        }
        catch (JsonException)
        {
            return Errno.EBADMSG;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        int owned = Interlocked.Exchange(ref _fd, -1);
        if (owned >= 0)
        {
            HostMemory.Close(owned);
        }
    }

    private Errno Fill(Span<byte> destination, List<int> descriptors)
    {
        while (!destination.IsEmpty)
        {
            SyscallResult count = UnixSocket.Receive(_fd, destination, descriptors, MaxDescriptors);
            if (count.IsError)
            {
                return count.Errno;
            }

            if (count.Raw == 0)
            {
                return Errno.ECONNRESET;
            }

            destination = destination[(int)count.Raw..];
        }

        return Errno.None;
    }
}
