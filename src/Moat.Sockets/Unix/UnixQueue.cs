using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Sockets.Unix;

/// <summary>What a unix socket has been sent and has not read. <see cref="_readLock"/> stands with the offset lock of files in the lock order: it is held over copies to the guest,
/// so that what one reader has begun no other takes.</summary>
internal sealed class UnixQueue
{
    private readonly Lock _readLock = new();
    private readonly Lock _lock = new();
    private UnixMessage? _first; // guarded by _lock; taken off under _readLock as well
    private UnixMessage? _last; // guarded by _lock
    private int _count; // guarded by _lock
    private long _bytes; // guarded by _lock
    private bool _isClosed; // guarded by _lock

    /// <summary>How many messages wait.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>How many bytes wait.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>The length of the next message; 0 if there is none.</summary>
    public int NextLength
    {
        get
        {
            lock (_lock)
            {
                return _first?.Unread.Length ?? 0;
            }
        }
    }

    /// <summary>Adds a message; false when the queue has been closed.</summary>
    public bool Add(UnixMessage message)
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return false;
            }

            if (_last is null)
            {
                _first = message;
            }
            else
            {
                _last.Next = message;
            }

            _last = message;
            _count++;
            _bytes += message.Unread.Length;
            return true;
        }
    }

    /// <summary>Closes the queue and takes everything out of it.</summary>
    public UnixMessage? Close()
    {
        lock (_lock)
        {
            UnixMessage? all = _first;
            (_first, _last, _count, _bytes, _isClosed) = (null, null, 0, 0, true);
            return all;
        }
    }

    /// <summary>Reads bytes across messages, but not past one with files and not across senders when their credentials are told.</summary>
    /// <returns>The count, 0 if nothing is there; EFAULT.</returns>
    public SyscallResult ReadStream(ref IoBuffer destination, MessageFlags flags, bool tellsCredentials, ref ReceivedMessage told)
    {
        bool peeks = (flags & MessageFlags.MSG_PEEK) != 0;
        long done = 0;
        lock (_readLock)
        {
            UnixMessage? message = First();
            PeerCredentials? before = null; // whose bytes there are already
            while (message is not null && !destination.IsEmpty)
            {
                if (before is { } earlier && tellsCredentials && earlier != message.Credentials)
                {
                    break;
                }

                if (!destination.CopyFrom(message.Unread).TryGet(out int copied, out Errno errno))
                {
                    return done > 0 ? done : errno;
                }

                done += copied;
                bool hasFiles = message.Files is not null;
                Tell(message, peeks, tellsCredentials, isFirst: before is null, ref told);
                bool isPart = copied < message.Unread.Length;
                UnixMessage? next = Next(message);
                before = message.Credentials;
                if (!peeks)
                {
                    Consume(message, copied, wholly: !isPart);
                }

                if (isPart || hasFiles)
                {
                    break;
                }

                message = next;
            }
        }

        return done;
    }

    /// <summary>Reads one message; what does not fit is lost.</summary>
    /// <param name="isEmpty">Whether there was none.</param>
    /// <returns>The count, or with MSG_TRUNC the whole message's length; EFAULT.</returns>
    public SyscallResult ReadMessage(ref IoBuffer destination, MessageFlags flags, bool tellsCredentials, ref ReceivedMessage told, out bool isEmpty)
    {
        bool peeks = (flags & MessageFlags.MSG_PEEK) != 0;
        lock (_readLock)
        {
            UnixMessage? message = First();
            isEmpty = message is null;
            if (message is null)
            {
                return 0;
            }

            int length = message.Unread.Length;
            SyscallResult result = 0;
            if (length > 0 && !destination.IsEmpty)
            {
                result = destination.CopyFrom(message.Unread).TryGet(out int copied, out Errno errno) ? copied : errno;
            }

            if (!result.IsError)
            {
                told.Address = message.SenderAddress;
                told.Flags |= result.Raw < length ? MessageFlags.MSG_TRUNC : 0;
                Tell(message, peeks, tellsCredentials, isFirst: true, ref told);
                result = (flags & MessageFlags.MSG_TRUNC) != 0 ? length : result;
            }

            if (!peeks)
            {
                Consume(message, length, wholly: true);
            }

            return result;
        }
    }

    private static void Tell(UnixMessage message, bool peeks, bool tellsCredentials, bool isFirst, ref ReceivedMessage told)
    {
        if (isFirst && tellsCredentials)
        {
            told.Ancillary ??= new AncillaryData();
            told.Ancillary.Credentials = message.Credentials;
        }

        if (message.Files is not { } files)
        {
            return;
        }

        told.Ancillary ??= new AncillaryData();
        foreach (FileDescription file in files.Files)
        {
            if (peeks)
            {
                file.AddReference();
            }

            told.Ancillary.Files.Add(file);
        }

        if (!peeks)
        {
            message.Sender.Family.InFlight.Remove(message.Credentials.Uid, files.Files.Count);
            files.Files.Clear();
            message.Files = null;
        }
    }

    private UnixMessage? First()
    {
        lock (_lock)
        {
            return _first;
        }
    }

    private UnixMessage? Next(UnixMessage message)
    {
        lock (_lock)
        {
            return message.Next;
        }
    }

    private void Consume(UnixMessage message, int count, bool wholly)
    {
        lock (_lock)
        {
            message.Skip(count);
            _bytes -= count;
            if (!wholly)
            {
                return;
            }

            _first = message.Next;
            _last = _first is null ? null : _last;
            _count--;
        }

        UnixSocket.Dispose(message);
    }
}
