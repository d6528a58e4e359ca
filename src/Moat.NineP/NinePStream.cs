using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.NineP;

/// <summary>Cuts a transport's bytes into messages.</summary>
/// <param name="transport">The connection.</param>
/// <param name="maxMessage">The largest message that is taken.</param>
internal sealed class NinePStream(INinePTransport transport, int maxMessage)
{
    private readonly byte[] _buffer = new byte[maxMessage];
    private int _length;

    /// <summary>Waits for a whole message.</summary>
    /// <param name="descriptors">Receives what came with it.</param>
    /// <param name="message">Valid until the next call.</param>
    /// <returns>ECONNRESET at the end of the stream; EBADMSG for a size that no message has.</returns>
    public Errno Receive(List<int> descriptors, out ReadOnlySpan<byte> message)
    {
        message = default;
        _length = 0;
        int wanted = NinePWriter.HeaderSize;
        while (_length < wanted)
        {
            if (!transport.Receive(_buffer.AsSpan(_length, wanted - _length), descriptors).TryGet(out int count, out Errno errno))
            {
                return errno;
            }

            if (count == 0)
            {
                return Errno.ECONNRESET;
            }

            _length += count;
            if (_length == NinePWriter.HeaderSize)
            {
                uint size = BinaryPrimitives.ReadUInt32LittleEndian(_buffer);
                if (size < NinePWriter.HeaderSize || size > (uint)_buffer.Length)
                {
                    return Errno.EBADMSG;
                }

                wanted = (int)size;
            }
        }

        message = _buffer.AsSpan(0, wanted);
        return Errno.None;
    }
}
