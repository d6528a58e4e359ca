using Moat.Linux;
using Moat.NineP;

namespace Moat.Fuzz.Targets;

/// <summary>A connection whose peer has said everything beforehand. What is sent to the peer has to be whole messages.</summary>
internal sealed class ScriptTransport : INinePTransport
{
    private readonly Queue<byte[]> _messages = new();
    private byte[] _rest = [];

    /// <summary>Says a message: its size, then these bytes.</summary>
    public void Say(ReadOnlySpan<byte> typeTagBody)
    {
        byte[] message = [.. BitConverter.GetBytes(sizeof(int) + typeTagBody.Length), .. typeTagBody];
        _messages.Enqueue(message);
    }

    /// <summary>Says bytes as they are.</summary>
    public void SayRaw(ReadOnlySpan<byte> bytes) => _messages.Enqueue(bytes.ToArray());

    /// <inheritdoc/>
    public Errno Send(ReadOnlySpan<byte> message, ReadOnlySpan<int> descriptors)
    {
        Assert.True(message.Length >= NinePWriter.HeaderSize);
        Assert.Equal(message.Length, BitConverter.ToInt32(message));
        return Errno.None;
    }

    /// <inheritdoc/>
    public Result<int> Receive(Span<byte> destination, List<int> descriptors)
    {
        if (_rest.Length == 0 && !_messages.TryDequeue(out _rest!))
        {
            _rest = [];
            return 0;
        }

        int count = Math.Min(destination.Length, _rest.Length);
        _rest.AsSpan(0, count).CopyTo(destination);
        _rest = _rest[count..];
        return count;
    }
}
