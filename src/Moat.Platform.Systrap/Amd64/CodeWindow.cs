using Iced.Intel;

namespace Moat.Platform.Systrap.Amd64;

/// <summary>Reads the code around a <c>syscall</c> instruction.</summary>
internal static class CodeWindow
{
    private const int MaxInstruction = 15;
    private const int MaxStarts = 48;
    private const int MinHits = 8;

    /// <summary>Finds the instruction right before an offset, if it means the same anywhere.</summary>
    /// <remarks>Code can't be read backwards. Reading forwards from every offset of a stretch that is longer than any instruction, the true reading is among those that come to the offset, and
    /// wrong ones soon fall in with it: only what all of them say counts.</remarks>
    /// <param name="page">The page of code.</param>
    /// <param name="end">Where the instruction ends.</param>
    /// <param name="number">What it must have set RAX to, if it sets RAX to a number.</param>
    /// <returns>Its length; 0 if it is not known or can't be moved.</returns>
    public static int FindBefore(ReadOnlySpan<byte> page, int end, ulong number)
    {
        int first = end - MaxInstruction - MaxStarts;
        if (first < 0)
        {
            return 0;
        }

        ByteArrayCodeReader reader = new(page[first..end].ToArray());
        Decoder decoder = Decoder.Create(64, reader);
        Instruction found = default;
        int hits = 0;
        for (int start = 0; start < MaxStarts; start++)
        {
            reader.Position = start;
            Instruction last = default;
            while (reader.CanReadByte)
            {
                decoder.Decode(out last);
            }

            if (last.IsInvalid)
            {
                continue; // it goes on behind the end
            }

            if (hits++ > 0 && last.Length != found.Length)
            {
                return 0;
            }

            found = last;
        }

        return hits >= MinHits && CanMove(found) && Sets(found, number) ? found.Length : 0;
    }

    /// <summary>Finds bytes that nobody executes: padding behind an instruction that never goes on to the next.</summary>
    /// <param name="page">The page of code.</param>
    /// <param name="from">Where an instruction begins.</param>
    /// <param name="last">The last place where the padding may begin.</param>
    /// <param name="wanted">How much of it is needed.</param>
    /// <param name="start">Where it is.</param>
    /// <param name="length">How much of it there is up to the end of an instruction, as much as wanted or more.</param>
    public static bool TryFindPadding(ReadOnlySpan<byte> page, int from, int last, int wanted, out int start, out int length)
    {
        ByteArrayCodeReader reader = new(page[from..].ToArray());
        Decoder decoder = Decoder.Create(64, reader);
        start = -1;
        length = 0;
        bool isOver = false;
        while (reader.CanReadByte)
        {
            int at = from + reader.Position;
            decoder.Decode(out Instruction instruction);
            if (instruction.IsInvalid || (start < 0 && at > last))
            {
                return false;
            }

            if (instruction.Mnemonic is Mnemonic.Nop or Mnemonic.Int3 && isOver)
            {
                start = start < 0 ? at : start;
                length += instruction.Length;
                if (length >= wanted)
                {
                    return true;
                }

                continue;
            }

            start = -1;
            length = 0;
            isOver = instruction.FlowControl is FlowControl.Return or FlowControl.UnconditionalBranch or FlowControl.IndirectBranch;
        }

        return false;
    }

    private static bool CanMove(in Instruction instruction) => instruction.FlowControl == FlowControl.Next && !instruction.IsIPRelativeMemoryOperand;

    private static bool Sets(in Instruction instruction, ulong number) => instruction.Op0Register is not (Register.EAX or Register.RAX) ? true
        : instruction.Code is Code.Mov_r32_imm32 or Code.Mov_rm32_imm32 or Code.Mov_rm64_imm32 ? instruction.GetImmediate(1) == number
        : instruction.Mnemonic != Mnemonic.Xor || instruction.Op1Register != instruction.Op0Register || number == 0;
}
