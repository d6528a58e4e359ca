using Moat.Linux;

namespace Moat.Host.Sockets;

/// <summary>Receives frames of a packet socket in batches, into buffers that its owner lays out. One thread.</summary>
/// <param name="fd">A <see cref="PacketSocket"/>.</param>
/// <param name="frames">How many at most in one batch.</param>
/// <param name="maxBuffers">How many buffers a frame is spread over at most.</param>
public sealed class PacketReceiver(int fd, int frames, int maxBuffers)
{
    private readonly MessageVector _messages = new(frames, maxBuffers);

    /// <summary>Takes a frame's buffers away, to give it others.</summary>
    public void Clear(int frame) => _messages.Clear(frame);

    /// <summary>Gives a frame another buffer, behind those it has.</summary>
    /// <param name="frame">Which of the batch.</param>
    /// <param name="memory">An array of the pinned heap, which the caller keeps.</param>
    /// <param name="offset">Where the buffer begins.</param>
    /// <param name="length">Bytes.</param>
    public void Add(int frame, byte[] memory, int offset, int length) => _messages.Add(frame, memory, offset, length);

    /// <summary>Waits for frames.</summary>
    /// <returns>How many have come.</returns>
    public Result<int> Receive()
    {
        SyscallResult result = _messages.Receive(fd);
        return result.IsError ? result.Errno : (int)result.Raw;
    }

    /// <summary>The length of a frame that has come.</summary>
    public int Length(int frame) => Math.Max(0, _messages.ReceivedLength(frame) - VirtioHeader.Length);

    /// <summary>The interface that it came in through.</summary>
    public int InterfaceIndex(int frame) => _messages.InterfaceIndex(frame);

    /// <summary>What the host knows of it.</summary>
    public VirtioHeader Header(int frame) => _messages.Header(frame);
}
