using System.Buffers.Binary;

namespace Moat.Platform.Systrap;

/// <summary>The FPU state in the kernel's signal frames: XSAVE's standard format, with words of the kernel's own in the part that FXSAVE leaves to software (<c>struct _fpx_sw_bytes</c>).</summary>
internal sealed class FpuLayout
{
    private const int LegacySize = 512;
    private const int HeaderEnd = 576;
    private const int ControlWord = 0;
    private const int Mxcsr = 24;
    private const int MxcsrMask = 28;
    private const int SoftwareBytes = 464;
    private const int SoftwareFeatures = SoftwareBytes + 8;
    private const int SoftwareSize = SoftwareBytes + 16;
    private const int Features = 512; // XSTATE_BV
    private const int Compaction = 520; // XCOMP_BV

    private readonly byte[] _initial;
    private readonly ulong _features;
    private readonly uint _mxcsrMask;

    /// <summary>Learns from a frame of the kernel's.</summary>
    /// <param name="frame">What lies in the slot from the frame's FPU state on.</param>
    public FpuLayout(ReadOnlySpan<byte> frame)
    {
        Size = BinaryPrimitives.ReadInt32LittleEndian(frame[SoftwareSize..]);
        if (Size is < HeaderEnd or > ushort.MaxValue)
        {
            throw new InvalidOperationException("the host saves no extended processor state");
        }

        _features = BinaryPrimitives.ReadUInt64LittleEndian(frame[SoftwareFeatures..]);
        _mxcsrMask = BinaryPrimitives.ReadUInt32LittleEndian(frame[MxcsrMask..]);
        _initial = new byte[Size];
        BinaryPrimitives.WriteUInt16LittleEndian(_initial.AsSpan(ControlWord), 0x37f);
        BinaryPrimitives.WriteUInt32LittleEndian(_initial.AsSpan(Mxcsr), 0x1f80);
        BinaryPrimitives.WriteUInt32LittleEndian(_initial.AsSpan(MxcsrMask), _mxcsrMask);
        BinaryPrimitives.WriteUInt64LittleEndian(_initial.AsSpan(SoftwareBytes), _features);
    }

    /// <summary>Bytes of the state.</summary>
    public int Size { get; }

    /// <summary>The state that a process starts with.</summary>
    public ReadOnlySpan<byte> Initial => _initial;

    /// <summary>Whether the processor would load a state.</summary>
    public bool IsValid(ReadOnlySpan<byte> state) => state.Length == Size
        && (BinaryPrimitives.ReadUInt32LittleEndian(state[Mxcsr..]) & ~_mxcsrMask) == 0
        && (BinaryPrimitives.ReadUInt64LittleEndian(state[Features..]) & ~_features) == 0
        && !state[Compaction..HeaderEnd].ContainsAnyExcept((byte)0);

    /// <summary>Copies the state out of a frame, with the processor's features where ptrace(2) has them as well.</summary>
    public void Read(ReadOnlySpan<byte> frame, Span<byte> state)
    {
        if (frame.IsEmpty)
        {
            _initial.CopyTo(state); // the application has made nonsense of its frame
            return;
        }

        frame.CopyTo(state);
        state[SoftwareBytes..LegacySize].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(state[SoftwareBytes..], _features);
    }

    /// <summary>Copies a state into a frame; the kernel's own words stay.</summary>
    public void Write(ReadOnlySpan<byte> state, Span<byte> frame)
    {
        if (!frame.IsEmpty)
        {
            state[..SoftwareBytes].CopyTo(frame);
            state[LegacySize..].CopyTo(frame[LegacySize..]);
        }
    }
}
