using System.Buffers;
using System.Text;

namespace Moat.Filesystems.Synthetic;

/// <summary>The text of a synthetic file while it is written: UTF-8, with room for a guest's own bytes.</summary>
public sealed class SyntheticText
{
    private readonly ArrayBufferWriter<byte> _bytes = new(512);

    /// <summary>What has been written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>Appends text.</summary>
    public SyntheticText Append(string text)
    {
        Encoding.UTF8.GetBytes(text, _bytes);
        return this;
    }

    /// <summary>Appends bytes as they are.</summary>
    public SyntheticText Append(ReadOnlySpan<byte> bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    /// <summary>Appends a line feed behind text.</summary>
    public SyntheticText AppendLine(string text) => Append(text).Append("\n"u8);

    /// <summary>Appends a path or name with space, tab, line feed and backslash as octal escapes, as /proc/PID/mounts and maps do.</summary>
    /// <param name="bytes">The path.</param>
    /// <param name="escaped">The bytes to escape.</param>
    public SyntheticText AppendEscaped(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> escaped)
    {
        foreach (byte b in bytes)
        {
            if (escaped.Contains(b))
            {
                Append($"\\{Convert.ToString(b, 8).PadLeft(3, '0')}");
                continue;
            }

            _bytes.Write([b]);
        }

        return this;
    }
}
