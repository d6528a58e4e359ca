using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.NineP;

/// <summary>Cuts a transport's bytes into messages.</summary>
/// <param name="transport">The connection.</param>
/// <param name="maxMessage">The largest message that is taken.</param>
internal sealed class NinePStream(INinePTransport transport, int maxMessage)
{
    private readonly byte[] _buffer = new byte[maxMessage];
    private int _length; // bytes in the buffer
    private int _taken; // of them, those of the last message

    /// <summary>Waits for a whole message. All bytes that are there are received at once: usually the message alone, in one piece.</summary>
    /// <param name="descriptors">Receives what came with it.</param>
    /// <param name="message">Valid until the next call.</param>
    /// <returns>ECONNRESET at the end of the stream; EBADMSG for a size that no message has.</returns>
    public Errno Receive(List<int> descriptors, out ReadOnlySpan<byte> message)
    {
        message = default;
        _buffer.AsSpan(_taken, _length - _taken).CopyTo(_buffer);
        _length -= _taken;
        _taken = 0;
        while (true)
        {
            int wanted = NinePWriter.HeaderSize;
            if (_length >= wanted)
            {
                uint size = BinaryPrimitives.ReadUInt32LittleEndian(_buffer);
                if (size < NinePWriter.HeaderSize || size > (uint)_buffer.Length)
                {
                    return Errno.EBADMSG;
                }

                wanted = (int)size;
            }

            if (_length >= wanted)
            {
                _taken = wanted;
                message = _buffer.AsSpan(0, wanted);
                return Errno.None;
            }

            if (!transport.Receive(_buffer.AsSpan(_length), descriptors).TryGet(out int count, out Errno errno))
            {
                return errno;
            }

            if (count == 0)
            {
                return Errno.ECONNRESET;
            }

            _length += count;
        }
    }
}
