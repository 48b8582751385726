output "function_name" {
  description = "For direct calls"
  value       = aws_lambda_function.soci.function_name
}

output "queue_url" {
  description = "For images that are there already"
  value       = aws_sqs_queue.images.url
}

output "dead_letters_url" {
  description = "What could not be done"
  value       = aws_sqs_queue.dead_letters.url
}
