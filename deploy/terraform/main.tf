# Every image that is pushed to Amazon ECR in this account and region becomes SOCI-enabled: docs/lambda.md. The same as
# ../cloudformation.yaml.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.32"
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  registry = "arn:${data.aws_partition.current.partition}:ecr:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
}

# What could not be done after three attempts.
resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "images" {
  name                      = var.name
  message_retention_seconds = 345600
  sqs_managed_sse_enabled   = true
  # Longer than any call takes, and so long that throttled calls are not taken for failed ones: six times the longest.
  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html (2026-11-29)
  visibility_timeout_seconds = 5400
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 3
  })
}

resource "aws_sqs_queue_policy" "images" {
  queue_url = aws_sqs_queue.images.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.images.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.pushes.arn } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "pushes" {
  name        = "${var.name}-pushes"
  description = "Pushes of images to Amazon ECR"
  event_pattern = jsonencode({
    source        = ["aws.ecr"]
    "detail-type" = ["ECR Image Action"]
    detail = {
      "action-type" = ["PUSH"]
      result        = ["SUCCESS"]
    }
  })
}

resource "aws_cloudwatch_event_target" "queue" {
  rule = aws_cloudwatch_event_rule.pushes.name
  arn  = aws_sqs_queue.images.arn
}

resource "aws_cloudwatch_log_group" "soci" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_in_days
}

resource "aws_iam_role" "soci" {
  name_prefix = "${var.name}-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "soci" {
  name = "function"
  role = aws_iam_role.soci.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Login"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid    = "Images"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:CompleteLayerUpload",
          "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload",
          "ecr:PutImage",
          "ecr:UploadLayerPart",
        ]
        Resource = [for name in var.repository_names : "${local.registry}:repository/${name}"]
      },
      {
        Sid      = "Rest"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.images.arn
      },
      # Lambda's own, in the function's name: messages and log lines.
      {
        Sid    = "Messages"
        Effect = "Allow"
        Action = [
          "sqs:DeleteMessage",
          "sqs:GetQueueAttributes",
          "sqs:ReceiveMessage",
        ]
        Resource = aws_sqs_queue.images.arn
      },
      {
        Sid    = "Lines"
        Effect = "Allow"
        Action = [
          "logs:CreateLogStream",
          "logs:PutLogEvents",
        ]
        Resource = "${aws_cloudwatch_log_group.soci.arn}:*"
      },
    ]
  })
}

resource "aws_lambda_function" "soci" {
  function_name    = var.name
  description      = "Makes images SOCI-enabled (cargo soci)"
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.architecture]
  memory_size      = var.memory_size
  timeout          = var.timeout
  role             = aws_iam_role.soci.arn
  filename         = var.code
  source_code_hash = filebase64sha256(var.code)
  environment {
    variables = {
      SOCI_TAG_MODEL      = var.tag_model
      SOCI_REPOSITORIES   = join(",", var.repositories)
      SOCI_TAGS           = join(",", var.tags)
      SOCI_EXCEPT_TAGS    = join(",", var.except_tags)
      SOCI_PLATFORMS      = join(",", var.platforms)
      SOCI_SPAN_SIZE      = var.span_size
      SOCI_MIN_LAYER_SIZE = var.min_layer_size
      SOCI_QUEUE_URL      = aws_sqs_queue.images.url
    }
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.soci.name
  }
}

resource "aws_lambda_event_source_mapping" "images" {
  function_name    = aws_lambda_function.soci.arn
  event_source_arn = aws_sqs_queue.images.arn
  # An image is work enough for a call.
  batch_size              = 1
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.name}-dead-letters"
  alarm_description   = "Images that could not be converted; their events are in the queue of dead letters"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "backlog" {
  alarm_name          = "${var.name}-backlog"
  alarm_description   = "A push has waited for an hour; more images may be converted at the same time (maximum_concurrency)"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.images.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  threshold           = 3600
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-errors"
  alarm_description   = "The function cannot start or is ended by Lambda; its log says why"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.soci.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}
