using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Moat.Linux;

namespace Moat.Host.Sockets;

/// <summary>The memory of a recvmmsg(2) or sendmmsg(2) on a packet socket: for each message a header, an address, a virtio header, and a list of buffers.</summary>
/// <remarks>Made once and never given back: it lives as long as the socket, which lives as long as the process.</remarks>
internal sealed unsafe class MessageVector
{
    private const int AddressLength = 20; // struct sockaddr_ll
    private const int ProtocolPacket = 17; // AF_PACKET
    private readonly Slot* _slots;
    private readonly Message* _messages;
    private readonly IoVec* _vectors;
    private readonly int _maxVectors;

    /// <summary>Memory for so many messages of so many buffers each, the virtio header not counted.</summary>
    public MessageVector(int count, int maxBuffers)
    {
        Count = count;
        _maxVectors = maxBuffers + 1;

        // SAFETY: three blocks of exactly the sizes that the accessors below stay within; indices are checked.
        _slots = (Slot*)NativeMemory.AllocZeroed((nuint)(count * sizeof(Slot)));
        _messages = (Message*)NativeMemory.AllocZeroed((nuint)(count * sizeof(Message)));
        _vectors = (IoVec*)NativeMemory.AllocZeroed((nuint)(count * _maxVectors * sizeof(IoVec)));
        for (int i = 0; i < count; i++)
        {
            _vectors[i * _maxVectors] = new IoVec((ulong)&_slots[i].Header, VirtioHeader.Length);
            _messages[i].Vectors = (nint)(&_vectors[i * _maxVectors]);
            _messages[i].VectorCount = 1;
            _messages[i].Name = (nint)(&_slots[i].Family);
        }
    }

    /// <summary>How many messages there is room for.</summary>
    public int Count { get; }

    /// <summary>The virtio header of a message.</summary>
    public ref VirtioHeader Header(int index) => ref SlotAt(index).Header;

    /// <summary>The interface of a message.</summary>
    public ref int InterfaceIndex(int index) => ref SlotAt(index).InterfaceIndex;

    /// <summary>Bytes that were received, the virtio header included.</summary>
    public int ReceivedLength(int index) => _messages[Checked(index)].Length;

    /// <summary>Leaves a message with no buffer but the virtio header's.</summary>
    public void Clear(int index)
    {
        _messages[Checked(index)].VectorCount = 1;
        SlotAt(index) = new Slot { Family = ProtocolPacket };
    }

    /// <summary>Adds a buffer.</summary>
    /// <param name="index">Which message.</param>
    /// <param name="memory">An array that does not move (of the pinned heap) and that the caller keeps until the call is over.</param>
    /// <param name="offset">Where the buffer begins.</param>
    /// <param name="length">Bytes.</param>
    public void Add(int index, byte[] memory, int offset, int length)
    {
        int used = (int)_messages[Checked(index)].VectorCount;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(used, _maxVectors);
        ref byte first = ref MemoryMarshal.GetReference(memory.AsSpan(offset, length));

        // SAFETY: the array is pinned for its life and its owner holds it; the range was checked by AsSpan, the place by the line above.
        _vectors[(index * _maxVectors) + used] = new IoVec((ulong)Unsafe.AsPointer(ref first), (ulong)length);
        _messages[index].VectorCount = used + 1;
    }

    /// <summary>recvmmsg(2) into all messages, waiting for the first.</summary>
    public SyscallResult Receive(int fd)
    {
        const int WaitForOne = 0x10000; // MSG_WAITFORONE
        for (int i = 0; i < Count; i++)
        {
            _messages[i].NameLength = AddressLength;
        }

        return HostCall.Invoke(SyscallNumber.recvmmsg, fd, (nint)_messages, Count, WaitForOne);
    }

    /// <summary>sendmmsg(2) of some of the messages, without waiting.</summary>
    public SyscallResult Send(int fd, int start, int count)
    {
        const int NoSignalDontWait = 0x4040;
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)start + (uint)count, (uint)Count);
        for (int i = start; i < start + count; i++)
        {
            _messages[i].NameLength = AddressLength;
        }

        return HostCall.Invoke(SyscallNumber.sendmmsg, fd, (nint)(_messages + start), count, NoSignalDontWait);
    }

    private int Checked(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
        return index;
    }

    private ref Slot SlotAt(int index) => ref _slots[Checked(index)];

    // A virtio header and, aligned, a struct sockaddr_ll.
    [StructLayout(LayoutKind.Sequential)]
    private struct Slot
    {
        public VirtioHeader Header;
        private readonly ushort _padding;
        public ushort Family;
        public ushort Protocol;
        public int InterfaceIndex;
        public ushort HardwareType;
        public byte PacketType;
        public byte AddressLength;
        public ulong Address;
    }

    // struct mmsghdr.
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public nint Name;
        public int NameLength;
        public int Padding;
        public nint Vectors;
        public nint VectorCount;
        public nint Control;
        public nint ControlLength;
        public int Flags;
        public int Padding2;
        public int Length;
        public int Padding3;
    }
}
