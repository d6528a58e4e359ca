using Moat.Linux;

namespace Moat.Host.Sockets;

/// <summary>Sends frames through a packet socket in batches. One thread at a time.</summary>
/// <param name="fd">A <see cref="PacketSocket"/>.</param>
/// <param name="frames">How many at most in one batch.</param>
/// <param name="maxBuffers">How many buffers a frame has at most.</param>
public sealed class PacketSender(int fd, int frames, int maxBuffers)
{
    private readonly MessageVector _messages = new(frames, maxBuffers);
    private int _count;

    /// <summary>Whether the batch is full.</summary>
    public bool IsFull => _count == _messages.Count;

    /// <summary>Begins a frame.</summary>
    /// <param name="interfaceIndex">The host's interface that it leaves through.</param>
    /// <param name="header">What the host is to do with it.</param>
    public void Begin(int interfaceIndex, in VirtioHeader header)
    {
        _messages.Clear(_count);
        _messages.Header(_count) = header;
        _messages.InterfaceIndex(_count) = interfaceIndex;
        _count++;
    }

    /// <summary>Adds bytes to the frame that was begun last: of an array of the pinned heap, which the caller keeps until <see cref="Send"/> is over.</summary>
    public void Add(byte[] memory, int offset, int length) => _messages.Add(_count - 1, memory, offset, length);

    /// <summary>Sends the batch, which is empty afterwards.</summary>
    /// <returns>How many frames the host did not take: its queues were full, the interface is down or gone.</returns>
    public int Send()
    {
        int lost = 0;
        int done = 0;
        while (done < _count)
        {
            SyscallResult result = _messages.Send(fd, done, _count - done);
            if (!result.IsError)
            {
                done += (int)result.Raw;
            }
            else if (result.Errno != Errno.EINTR)
            {
                done++;
                lost++;
            }
        }

        _count = 0;
        return lost;
    }
}
